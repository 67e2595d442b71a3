"""The solution's task: the only one that the workers of its queues know."""

from typing import Any
from uuid import UUID

from celery import shared_task
from jobs.broker import TASK
from jobs.configured import policy
from jobs.runs import Effect, Run, perform

from .work import compute, store

REPORT = "report"


def make_report(run: Run) -> Effect:
    """Compute the report; what remains is to store it."""

    def progress(share: float) -> None:
        run.progress = int(100 * share)

    made = compute(run.arguments, progress)
    return lambda: store(run.job, run.arguments, made)


WORK = {REPORT: make_report}


@shared_task(bind=True, name=TASK)
def run_job(self: Any, job: str) -> None:
    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    perform(UUID(job), redelivered, self.request.hostname, WORK, policy())
