"""What a run is: what its work may know, say and raise, and how it can end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from .backoff import Backoff


class Transient(Exception):
    """What may be gone at the next try: a timeout, a 503, a lock."""


class Fenced(Exception):
    """Somebody else has this job by now, or nobody shall have it any more."""


class Outcome(StrEnum):
    DONE = "done"
    RETRIED = "retried"
    DEAD = "dead"
    FENCED = "fenced"
    NOTHING = "nothing to run"


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient jobs are; times in seconds."""

    lease: float
    most_attempts: int
    most_losses: int
    backoff: Backoff


@dataclass(slots=True)
class Run:
    """What the work may know and say while it runs."""

    job: UUID
    attempt: int
    failures: int  # of the runs before
    losses: int
    kind: str
    arguments: Mapping[str, Any]
    correlation: str
    percent: int = 0  # the next heartbeat tells it
    fenced: bool = False  # the last heartbeat found somebody else, or nobody, in its place

    def progress(self, share: float) -> None:
        """Tell how much is done, between 0 and 1.

        Raises:
            Fenced: the job was cancelled or taken over; going on is of no use.
        """
        if self.fenced:
            raise Fenced
        self.percent = int(100 * share)


type Effect = Callable[[], None]
type Work = Callable[[Run], Effect]
"""Does the slow part, without touching the database, and returns what remains to be written."""
