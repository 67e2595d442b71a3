"""What a run is: what its work may know and raise, and how it can end."""

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


@dataclass(frozen=True, slots=True)
class Run:
    """What the work may know of itself."""

    job: UUID
    attempt: int
    failures: int  # of the runs before
    losses: int
    kind: str
    arguments: Mapping[str, Any]
    correlation: str


type Effect = Callable[[], None]
type Work = Callable[[Run], Effect]
"""Does the slow part, without touching the database, and returns what remains to be written."""
