"""The solution's task: the only one that the workers of its queues know."""

from typing import Any
from uuid import UUID

from celery import shared_task
from jobs.broker import TASK
from jobs.configured import policy
from jobs.runs import Effect, Run, perform
from jobs.watch import CANARY

from .work import compute, store

REPORT = "report"


def make_report(run: Run) -> Effect:
    """Compute the report; what remains is to store it."""
    made = compute(run.arguments, run.progress)
    return lambda: store(run.job, run.arguments, made)


def sing(_run: Run) -> Effect:
    """Do nothing: that a canary was run is all there is to it."""
    return lambda: None


WORK = {REPORT: make_report, CANARY: sing}


@shared_task(bind=True, name=TASK)
def run_job(self: Any, job: str) -> None:
    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    perform(UUID(job), redelivered, self.request.hostname, WORK, policy())
