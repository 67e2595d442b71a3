"""Three ways to make a report that takes its time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from jobs.models import Job
from jobs.submit import submit
from jobs.topology import BULK, QUEUES, QUICK
from jobs.watch import look

from . import tutorial
from .work import REPORT, keep_report


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a report, checked."""

    document: Mapping[str, Any]
    key: str | None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the report is about, without how it is asked for."""
        return {k: v for k, v in self.document.items() if k not in ("quick", "delay_seconds")}

    @property
    def queue(self) -> str:
        return QUICK if self.document["quick"] else BULK


@dataclass(frozen=True, slots=True)
class Variant:
    """One way; `ask` returns the id of the job."""

    name: str
    about: str
    ask: Callable[[Asked], UUID]
    health: Callable[[], dict[str, Any]]

    @property
    def path(self) -> str:
        return f"/api/{self.name}/reports/"


def fire_and_forget(asked: Asked) -> UUID:
    """Create the row and send the task, as with ATOMIC_REQUESTS: within the request's transaction."""
    job = Job.objects.create(kind=REPORT, queue="", arguments=asked.arguments)
    tutorial.make_report.apply_async((str(job.id),), countdown=asked.document["delay_seconds"])
    return job.id


def django_tasks(asked: Asked) -> UUID:
    """Ask as Django's documentation says; the backend is a setting."""
    run_after = timezone.now() + timedelta(seconds=asked.document["delay_seconds"])
    task = keep_report.using(queue_name=asked.queue, run_after=run_after)
    return UUID(task.enqueue(asked.arguments).id)


def durable(asked: Asked) -> UUID:
    """Write the job down; the relay sends it."""
    return submit(
        REPORT,
        asked.arguments,
        queue=asked.queue,
        key=asked.key,
        delay_seconds=asked.document["delay_seconds"],
    )


def answers_ping() -> dict[str, Any]:
    """Ask the workers' main processes, as `celery inspect ping` does."""
    replies = tutorial.app.control.ping(timeout=1)
    # The workers of the solution listen on the same broker.
    found = [name for reply in replies or [] for name in reply if name.startswith("tutorial")]
    return {"problems": [] if found else ["no worker answers"]}


def is_working() -> dict[str, Any]:
    """Look at the rows: does anything begin on each queue, was anything given up?"""
    return look(QUEUES)


VARIANTS: tuple[Variant, ...] = (
    Variant("fire_and_forget", "Celery as its tutorials show it", fire_and_forget, answers_ping),
    Variant("django_tasks", "django.tasks on the outbox", django_tasks, is_working),
    Variant(
        "durable",
        "a job row as outbox, a relay, late acknowledgement, leases",
        durable,
        is_working,
    ),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    VARIANTS += (Variant("mine", "your own", mine.ask, mine.health),)
