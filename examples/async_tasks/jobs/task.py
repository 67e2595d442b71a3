"""The one task that workers know: run a job, whatever its kind."""

from typing import Any
from uuid import UUID

from celery import shared_task

from .broker import TASK
from .configured import policy, work
from .runs import perform


@shared_task(bind=True, name=TASK)
def run_job(self: Any, job: str) -> None:
    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    perform(UUID(job), redelivered, self.request.hostname, work(), policy())
