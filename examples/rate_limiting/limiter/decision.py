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
    def of(cls, policy: Policy, charge: int, excess: int, charged: bool) -> Self:
        """Read it all off *excess*: the ticks by which *charge* exceeds what the bucket holds."""
        p, allowed = policy.p, excess <= 0
        left = -excess if allowed and charged else charge - excess
        full_after_us = -((left - policy.capacity) // p)
        return cls(policy, allowed, left // policy.q, max(0, -(-excess // p)), full_after_us)


class Decision(NamedTuple):
    """What the policies of a rule set say together."""

    allowed: bool
    outcomes: tuple[Outcome, ...]
    mode: Mode = Mode.EXACT

    @classmethod
    def of(cls, outcomes: tuple[Outcome, ...], mode: Mode = Mode.EXACT) -> Self:
        """Allow if every policy does; a shadow policy has no say."""
        allowed = True
        for outcome in outcomes:
            allowed = allowed and (outcome.allowed or outcome.policy.shadow)
        return cls(allowed, outcomes, mode)

    @property
    def violated(self) -> tuple[Outcome, ...]:
        """Return the outcomes that refuse the request."""
        return tuple(o for o in self.outcomes if not (o.allowed or o.policy.shadow))

    @property
    def shadowed(self) -> tuple[Outcome, ...]:
        """Return the outcomes that would refuse it if their policy were not a shadow."""
        return tuple(o for o in self.outcomes if o.policy.shadow and not o.allowed)

    @property
    def retry_after_us(self) -> int:
        """Return the microseconds until the same request is allowed, 0 if it is now."""
        return max((o.retry_after_us for o in self.violated), default=0)

    @property
    def degraded(self) -> bool:
        """Tell whether the decision was made without the store."""
        return self.mode in (Mode.LOCAL, Mode.OPEN, Mode.CLOSED)
