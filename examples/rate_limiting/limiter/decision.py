"""What a limiter answers: one outcome per policy, one decision for all of them."""

from enum import StrEnum
from typing import NamedTuple, Self

from .policy import Policy


class Mode(StrEnum):
    """How a decision was made."""

    EXACT = "exact"  # by Redis, for all processes
    CACHED = "cached"  # from memory: Redis refused, and the refill is not due yet
    LOCAL = "local"  # without Redis, by a bucket of this process
    OPEN = "open"  # without Redis, let through
    CLOSED = "closed"  # without Redis, refused


class Outcome(NamedTuple):  # not a frozen dataclass: made in a third of the time
    """What one policy says; the times count from the decision."""

    policy: Policy
    allowed: bool
    remaining: int
    retry_after_us: int
    full_after_us: int

    @classmethod
    def of(cls, policy: Policy, cost: int, excess: int, charged: bool) -> Self:
        """Read it all off *excess*: the ticks by which *cost* exceeds what the bucket holds."""
        left = -excess if charged else cost * policy.ticks_per_token - excess
        return cls(
            policy,
            excess <= 0,
            left // policy.ticks_per_token,
            max(0, -(-excess // policy.ticks_per_us)),
            -((left - policy.capacity) // policy.ticks_per_us),
        )


class Decision(NamedTuple):
    """What the policies of a rule set say together."""

    allowed: bool
    outcomes: tuple[Outcome, ...]
    mode: Mode = Mode.EXACT

    @property
    def violated(self) -> tuple[Outcome, ...]:
        """Return the outcomes that refuse the request."""
        return tuple(outcome for outcome in self.outcomes if not outcome.allowed)

    @property
    def retry_after_us(self) -> int:
        """Return the microseconds until the same request is allowed, 0 if it is now."""
        return max(outcome.retry_after_us for outcome in self.outcomes)

    @property
    def degraded(self) -> bool:
        """Tell whether the decision was made without the store."""
        return self.mode in (Mode.LOCAL, Mode.OPEN, Mode.CLOSED)
