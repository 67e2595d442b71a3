"""The variant `fire_and_forget`: Celery as its first steps and most tutorials show it, with its defaults.

The message is acknowledged before the task runs, sent before the row is committed, retried at fixed times.
"""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

app = Celery("tutorial", broker=settings.BROKER_URL, set_as_current=False)
app.conf.broker_connection_retry_on_startup = True
app.conf.task_ignore_result = True
if settings.MINE:  # the reader's own tasks come with the variants
    app.conf.imports = ("reports.variants",)


@app.task(
    bind=True,
    name="reports.make_report",
    autoretry_for=(Exception,),
    retry_kwargs={"max_retries": 5, "countdown": 3},
)
def make_report(self: Any, job_id: str) -> None:
    from jobs.models import Job, Run, State

    from .drills import practise
    from .ontime import report, store

    asked = self.request
    Run.objects.create(
        job_id=job_id, attempt=asked.retries + 1, worker=asked.hostname, due_at=asked.eta
    )
    job = Job.objects.get(id=job_id)
    practise(job.arguments.get("drill"))
    store(report(job.arguments), job_id)
    Job.objects.filter(id=job_id).update(state=State.DONE)
