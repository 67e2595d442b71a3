"""Your own way to have a report made. It begins as `fire_and_forget`: a Celery task as tutorials show it.

Win `retries-do-not-stampede` first, with the options of the task; then `same-key-same-job`, in `ask`.
The worker `tutorial` takes your tasks from its default queue. You may use all of Celery and of `jobs/`.
"""

from typing import Any
from uuid import UUID

from jobs.models import Job, Run, State
from reports.drills import practise
from reports.ontime import report, store
from reports.tutorial import app
from reports.variants import Asked, answers_ping

health = answers_ping  # what /api/mine/health/ says: {"problems": [...], "dead_letters": ...}


@app.task(
    bind=True,
    name="mine.make_report",
    autoretry_for=(Exception,),
    retry_kwargs={"max_retries": 5, "countdown": 3},
)
def make_report(self: Any, job_id: str) -> None:
    asked, attempt = self.request, self.request.retries + 1
    # What the claims count; `due_at` is the moment that Celery was asked to wait for.
    Run.objects.create(job_id=job_id, attempt=attempt, worker=asked.hostname, due_at=asked.eta)
    job = Job.objects.get(id=job_id)
    practise(job.arguments.get("drill"))  # is slow, or fails, as a claim asks
    store(report(job.arguments), job_id)
    Job.objects.filter(id=job_id).update(state=State.DONE)


def ask(asked: Asked) -> UUID:  # also at hand: asked.key, asked.queue
    job = Job.objects.create(kind="report", queue="", arguments=asked.arguments)
    make_report.apply_async((str(job.id),), countdown=asked.document["delay_seconds"])
    return job.id
