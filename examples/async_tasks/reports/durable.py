"""The solution's task: the only one that the workers of its queues know."""

from typing import Any
from uuid import UUID

from celery import shared_task
from jobs.broker import TASK
from jobs.configured import policy
from jobs.runs import Effect, Run, perform
from jobs.submit import submit
from jobs.topology import BULK
from jobs.watch import CANARY

from .webhooks import deliver
from .work import compute, store

REPORT = "report"
DELIVERY = "delivery"


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


def tell_webhook(run: Run) -> Effect:
    """Deliver; there is nothing to write but the end of the job."""
    deliver(run.arguments["webhook"], str(run.job), run.arguments["told"])
    return lambda: None


def sing(_run: Run) -> Effect:
    """Do nothing: that a canary was run is all there is to it."""
    return lambda: None


WORK = {REPORT: make_report, DELIVERY: tell_webhook, CANARY: sing}


@shared_task(bind=True, name=TASK)
def run_job(self: Any, job: str) -> None:
    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    perform(UUID(job), redelivered, self.request.hostname, WORK, policy())
