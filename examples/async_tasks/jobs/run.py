"""What a run is: what its work may know and raise, and how it can end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from .backoff import Backoff


class Transient(Exception):
    """What may be gone at the next try: a timeout, a 503, a lock."""


class Outcome(StrEnum):
    DONE = "done"
    RETRIED = "retried"
    DEAD = "dead"
    FENCED = "fenced"  # somebody else has this job by now, or nobody shall have it any more
    NOTHING = "nothing to run"


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient jobs are; the setting `JOBS_POLICY` may say otherwise."""

    lease_seconds: float = 5  # a run that says nothing for so long is lost
    most_attempts: int = 8  # of a job that fails for a while
    most_losses: int = 3  # of a job whose runs end without a word
    unseen_seconds: float = 5  # sent, not begun, and its queue is empty: lost
    backoff: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True, slots=True)
class Run:
    """What the work may know of itself."""

    job: UUID
    attempt: int
    failures: int  # of the runs before
    losses: int
    kind: str
    arguments: Mapping[str, Any]


type Effect = Callable[[], None]
type Work = Callable[[Run], Effect]
"""Does the slow part, without touching the database, and returns what remains to be written."""
