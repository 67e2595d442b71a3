"""What a limit is: a burst that may be spent at once, and the rate at which it comes back."""

import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self

NAME = re.compile(r"[a-z0-9_-]{1,64}")
LARGEST_NUMERATOR = 9_999  # four digits hold the fraction of a microsecond in a bucket's value
LARGEST_CAPACITY = 2**52  # Lua's numbers are doubles, exact below 2**53
LONGEST_REFILL_SECONDS = 10 * 365 * 86_400  # a bucket's value has to stay a signed 64-bit integer


class OnFailure(StrEnum):
    """What a policy decides while its store does not answer."""

    OPEN = "open"
    CLOSED = "closed"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many tokens per so many seconds; seconds may be a fraction, a decimal or a float."""

    count: int
    seconds: int | float | Fraction | Decimal | str = 1

    @property
    def per_second(self) -> Fraction:
        return self.count / Fraction(str(self.seconds))  # str: 0.1 means a tenth, not its double


@dataclass(frozen=True, slots=True)
class Policy:
    """One limit, counted in integers.

    The rate is reduced to *p* tokens in *q* microseconds. Then a microsecond refills *p* ticks,
    a token is worth *q* ticks, and no division ever loses a fraction.

    Raises ValueError, with one sentence, for a limit that means nothing or cannot be counted so.
    """

    name: str
    burst: int
    rate: Rate
    on_failure: OnFailure = OnFailure.LOCAL
    ticks_per_us: int = field(init=False, repr=False)
    ticks_per_token: int = field(init=False, repr=False)
    capacity: int = field(init=False, repr=False)  # ticks of a full bucket

    @classmethod
    def strict(
        cls, name: str, *, limit: int, window_seconds: int | Fraction, burst: int, **rest: Any
    ) -> Self:
        """Never admit more than *limit* in any window, wherever it begins.

        A bucket admits at most burst + rate x window, so the rate gets what the burst leaves.
        """
        if not 1 <= burst < limit:
            raise ValueError(f"policy {name!r}: burst {burst} must be 1 or more and below {limit}")
        return cls(name, burst, Rate(limit - burst, window_seconds), **rest)

    def __post_init__(self) -> None:
        where = f"policy {self.name!r}:"
        if not NAME.fullmatch(self.name):
            raise ValueError(f"{where} a name is 1 to 64 of a-z, 0-9, '-' and '_'")
        if self.burst < 1:
            raise ValueError(f"{where} burst {self.burst} must be at least 1")
        if self.rate.count < 1 or Fraction(str(self.rate.seconds)) <= 0:
            raise ValueError(
                f"{where} rate {self.rate.count} per {self.rate.seconds} s refills nothing"
            )
        per_microsecond = self.rate.per_second / 1_000_000
        object.__setattr__(self, "ticks_per_us", per_microsecond.numerator)
        object.__setattr__(self, "ticks_per_token", per_microsecond.denominator)
        object.__setattr__(self, "capacity", self.burst * self.ticks_per_token)
        if self.ticks_per_us > LARGEST_NUMERATOR or self.capacity >= LARGEST_CAPACITY:
            raise ValueError(
                f"{where} {self.ticks_per_us} tokens in {self.ticks_per_token} us with burst"
                f" {self.burst} cannot be counted exactly; take rounder numbers"
            )
        if self.full_us > LONGEST_REFILL_SECONDS * 1_000_000:
            raise ValueError(f"{where} an empty bucket would need more than 10 years to fill")

    @property
    def full_us(self) -> int:
        """Return the microseconds that fill an empty bucket."""
        return -(-self.capacity // self.ticks_per_us)

    @property
    def window_seconds(self) -> int:
        """Return the same in whole seconds, rounded up: ``w`` of the RateLimit-Policy field."""
        return math.ceil(Fraction(self.full_us, 1_000_000))


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Policies that are decided together: a request passes all of them or is charged by none."""

    name: str
    policies: tuple[Policy, ...]

    def __post_init__(self) -> None:
        names = [policy.name for policy in self.policies]
        if not names or len(set(names)) != len(names) or not NAME.fullmatch(self.name):
            raise ValueError(f"rule set {self.name!r} needs a name and policies of different names")
