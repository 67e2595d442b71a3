"""What the workers of the solution do, by the kind of a job (`JOBS` in the settings)."""

from functools import partial

from django.tasks import TaskContext, task
from jobs.run import Effect, Run
from jobs.topology import BULK

from .drills import practise
from .ontime import report, store

REPORT = "report"


def make_report(run: Run) -> Effect:
    """Compute the report; what remains is to store it."""
    practise(run.arguments.get("drill"))
    return partial(store, report(run.arguments), run.job)


WORK = {REPORT: make_report}


@task(queue_name=BULK, takes_context=True)
def keep_report(context: "TaskContext[..., None]", arguments: dict[str, object]) -> None:
    """Do the same as a task of Django's own `django.tasks`."""
    practise(arguments.get("drill"))  # type: ignore[arg-type]  # checked by reports.asked
    store(report(arguments), context.task_result.id)
