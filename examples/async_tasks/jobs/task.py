"""The one task that workers know: run the jobs of a message, whatever their kind."""

from typing import Any
from uuid import UUID

from celery import shared_task

from .broker import TASK
from .configured import policy, work
from .runs import perform


@shared_task(bind=True, name=TASK)
def run_job(self: Any, jobs: list[str]) -> None:
    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    perform([UUID(job) for job in jobs], redelivered, self.request.hostname, work(), policy())
