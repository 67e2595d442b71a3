"""Is work being done? Told from the rows, which nobody can freeze; a process that is there proves nothing.

The keeper sends a canary through each queue; a queue on which nothing has begun for a while is silent.
"""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from . import sql
from .models import DeadLetter
from .run import Effect, Run

SILENCE_SECONDS: Final = 4.0
RELAY_SECONDS: Final = 5.0
CANARY: Final = "canary"


@dataclass(frozen=True, slots=True)
class QueueWatch:
    """One queue: waiting jobs, seconds that the oldest has waited for a worker, whether runs begin."""

    name: str
    waiting: int
    oldest_seconds: float
    alive: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """What an operator has to know; `problems` is empty when there is nothing to do."""

    queues: tuple[QueueWatch, ...]
    dead_letters: int
    outbox_seconds: float  # the oldest message that is due and was not sent

    def problems(self) -> Iterator[str]:
        for queue in self.queues:
            if not queue.alive:
                yield f"nothing has begun on {queue.name} for {SILENCE_SECONDS:.0f} s"
        if self.dead_letters:
            yield f"{self.dead_letters} dead letters are open"
        if self.outbox_seconds > RELAY_SECONDS:
            yield f"nothing has been sent for {self.outbox_seconds:.0f} s"


def look(queues: Collection[str]) -> Watch:
    """Read the state of things from the database."""
    found = sql.rows("watch", queues=list(queues), silence=SILENCE_SECONDS)
    return Watch(
        queues=tuple(
            QueueWatch(name, n, float(oldest), alive) for name, n, oldest, alive, _ in found
        ),
        dead_letters=DeadLetter.objects.filter(resolved_at=None).count(),
        outbox_seconds=max((float(overdue) for *_, overdue in found), default=0),
    )


def sing(_run: Run) -> Effect:
    """Do nothing: that a canary was run is all there is to it."""
    return lambda: None


def send_canaries(queues: Collection[str]) -> None:
    """Send one through each queue on which none is on its way.

    A canary is known by its id: keys are what clients choose.
    """
    for queue in queues:
        sql.rows("canary", id=uuid.uuid5(uuid.NAMESPACE_URL, f"{CANARY}:{queue}"), queue=queue)
