"""The token bucket: who may pass, decided for all processes at once by Redis.

Generic Cell Rate Algorithm (ITU-T I.371): a bucket is one number, the time at which it is full.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from .policy import Policy, RuleSet, Scope

SCRIPT = Path(__file__).with_suffix(".lua").read_text()


class Store(Protocol):
    """Where buckets live: runs the script atomically, in one round trip.

    Both raise StoreFailure when there is no answer.
    """

    def run(self, keys: Sequence[str], args: tuple[int | str, ...]) -> list[int]: ...

    async def arun(self, keys: Sequence[str], args: tuple[int | str, ...]) -> list[int]: ...

    def delete(self, keys: Sequence[str]) -> int: ...


class StoreFailure(Exception):
    """The store gave no answer that can be trusted: gone, slow, read-only, full or starting."""


class Mode(StrEnum):
    """How a decision was made."""

    EXACT = "exact"  # by Redis, for all processes
    CACHED = "cached"  # from memory: Redis denied, and the refill is not due yet
    LOCAL = "local"  # without Redis, by a bucket of this process
    OPEN = "open"  # without Redis, let through
    CLOSED = "closed"  # without Redis, refused


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one policy says."""

    policy: Policy
    allowed: bool
    remaining: int
    retry_after_us: int
    full_after_us: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What all policies of a rule set say together."""

    allowed: bool
    outcomes: tuple[Outcome, ...]
    mode: Mode = Mode.EXACT

    @property
    def violated(self) -> tuple[Outcome, ...]:
        """Return the outcomes that refuse the request; a shadow policy never does."""
        return tuple(o for o in self.outcomes if not (o.allowed or o.policy.shadow))

    @property
    def retry_after_us(self) -> int:
        """Return the microseconds until the same request is allowed, 0 if it is."""
        return max((o.retry_after_us for o in self.violated), default=0)

    @property
    def degraded(self) -> bool:
        """Tell whether the decision was made without the store."""
        return self.mode in (Mode.LOCAL, Mode.OPEN, Mode.CLOSED)
