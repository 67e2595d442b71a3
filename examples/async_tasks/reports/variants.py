"""Three ways to make a report that takes its time."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from jobs.models import Job, State
from jobs.submit import submit
from jobs.topology import BULK, QUEUES, URGENT
from jobs.watch import look
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from . import tutorial
from .durable import REPORT
from .work import compute, store


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a report, checked."""

    arguments: Mapping[str, Any]
    key: str | None
    urgent: bool
    delay_seconds: float
    correlation: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One way; `ask` returns the id of the job, and whether it is a new one."""

    name: str
    about: str
    ask: Callable[[Asked], tuple[UUID, bool]]
    health: Callable[[], dict[str, Any]] = lambda: {"problems": []}

    @property
    def path(self) -> str:
        return f"/api/{self.name}/reports/"


def inline(asked: Asked) -> tuple[UUID, bool]:
    """Do it while the client waits, and a thread of the server with it."""
    made = compute(asked.arguments, lambda _: None)
    with transaction.atomic():
        job = Job.objects.create(
            kind=REPORT, queue="", arguments=asked.arguments, state=State.DONE, progress=100
        )
        store(job.id, asked.arguments, made)
    return job.id, True


def fire_and_forget(asked: Asked) -> tuple[UUID, bool]:
    """Create the row and send the task, as with ATOMIC_REQUESTS: within the request's transaction."""
    job = Job.objects.create(kind=REPORT, queue="", arguments=asked.arguments)
    tutorial.make_report.apply_async((str(job.id),), countdown=asked.delay_seconds)
    return job.id, True


def durable(asked: Asked) -> tuple[UUID, bool]:
    """Write the job and its message down; the relay sends it."""
    return submit(
        REPORT,
        asked.arguments,
        queue=URGENT if asked.urgent else BULK,
        key=asked.key,
        delay_seconds=asked.delay_seconds,
        correlation=asked.correlation,
    )


def answers_ping() -> dict[str, Any]:
    """Ask the workers' main processes, as `celery inspect ping` does."""
    try:
        replies = tutorial.app.control.ping(timeout=1)
    except (OperationalError, OSError, RedisError) as error:
        return {"problems": [f"no broker: {error}"]}
    # The workers of the solution listen on the same broker.
    found = [name for reply in replies or [] for name in reply if name.startswith("tutorial")]
    return {"problems": [] if found else ["no worker answers"]}


def is_working() -> dict[str, Any]:
    """Look at the rows: does anything begin on each queue, was anything given up?"""
    watch = look([queue.name for queue in QUEUES])
    return {**asdict(watch), "problems": list(watch.problems())}


VARIANTS = (
    Variant("inline", "the work in the view", inline),
    Variant("fire_and_forget", "Celery as its tutorials show it", fire_and_forget, answers_ping),
    Variant(
        "durable",
        "a job row, an outbox, a relay, late acknowledgement, leases",
        durable,
        is_working,
    ),
)
