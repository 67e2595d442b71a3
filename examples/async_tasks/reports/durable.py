"""The solution's task: the only one that the workers of its queues know."""

from typing import Any
from uuid import UUID

from celery import shared_task
from jobs import django_tasks
from jobs.broker import TASK
from jobs.configured import policy
from jobs.models import Job
from jobs.runs import Effect, Run, perform
from jobs.submit import submit
from jobs.topology import BULK
from jobs.watch import CANARY

from .models import Report
from .ontime import summary
from .webhooks import deliver
from .work import compute, store

REPORT = "report"
DELIVERY = "delivery"
SUMMARY = "summary"
ALL = "*"  # of airlines


def make_report(run: Run) -> Effect:
    """Compute the report; what remains is to store it, and to have its webhook told."""
    made = compute(run.arguments, run.progress)

    def effect() -> None:
        store(run.job, run.arguments, made)
        if webhook := run.arguments.get("webhook"):
            # Another job, with retries of its own: a webhook that is down does not make a second report.
            told = {"job": str(run.job), "report": f"/api/jobs/{run.job}/report.csv"}
            submit(
                DELIVERY,
                {"webhook": webhook, "told": told},
                queue=BULK,
                key=f"{DELIVERY}:{run.job}",
                correlation=run.correlation,
            )

    return effect


def summarise(run: Run) -> Effect:
    """Put the reports of all airlines together; those whose job is dead are left out, and counted."""
    members = Job.objects.filter(whole=run.job)
    made = list(Report.objects.filter(job_id__in=members.values("id")).order_by("airline"))
    lost = members.count() - len(made)
    together = summary([(each.airline, each.flights, each.on_time) for each in made])
    arguments = {"airline": ALL, "month": run.arguments["month"]}
    return lambda: store(run.job, arguments, together, lost)


def tell_webhook(run: Run) -> Effect:
    """Deliver; there is nothing to write but the end of the job."""
    deliver(run.arguments["webhook"], str(run.job), run.arguments["told"])
    return lambda: None


def sing(_run: Run) -> Effect:
    """Do nothing: that a canary was run is all there is to it."""
    return lambda: None


WORK = {
    REPORT: make_report,
    SUMMARY: summarise,
    DELIVERY: tell_webhook,
    CANARY: sing,
    django_tasks.KIND: django_tasks.call,
}


@shared_task(bind=True, name=TASK)
def run_job(self: Any, job: str) -> None:
    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    perform(UUID(job), redelivered, self.request.hostname, WORK, policy())
