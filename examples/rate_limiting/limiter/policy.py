"""What a limit is: a burst that may be spent at once, and the rate at which it comes back."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Self

NAME = re.compile(r"[a-z0-9_-]{1,64}")
LARGEST_NUMERATOR = 9_999  # four digits hold the fraction of a microsecond in a bucket's value
LARGEST_CAPACITY = 2**52  # Lua's numbers are doubles, exact below 2**53


@dataclass(frozen=True, slots=True)
class Rate:
    """So many tokens per so many seconds."""

    count: int
    seconds: int | Fraction = 1


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
    ticks_per_us: int = field(init=False, repr=False)
    ticks_per_token: int = field(init=False, repr=False)
    capacity: int = field(init=False, repr=False)  # ticks of a full bucket

    @classmethod
    def strict(cls, name: str, *, limit: int, window_seconds: int | Fraction, burst: int) -> Self:
        """Never admit more than *limit* in any window, wherever it begins.

        A bucket admits at most burst + rate x window, so the rate gets what the burst leaves.
        """
        return cls(name, burst, Rate(limit - burst, window_seconds))

    def __post_init__(self) -> None:
        where = f"policy {self.name!r} with burst {self.burst} and {self.rate}:"
        least = min(self.burst, self.rate.count, self.rate.seconds)
        if least <= 0 or not NAME.fullmatch(self.name):
            raise ValueError(f"{where} numbers have to be above 0, and the name of a-z0-9_- alone")
        per_microsecond = Fraction(self.rate.count, 1_000_000) / Fraction(self.rate.seconds)
        object.__setattr__(self, "ticks_per_us", per_microsecond.numerator)
        object.__setattr__(self, "ticks_per_token", per_microsecond.denominator)
        object.__setattr__(self, "capacity", self.burst * self.ticks_per_token)
        if self.ticks_per_us > LARGEST_NUMERATOR or self.capacity >= LARGEST_CAPACITY:
            raise ValueError(f"{where} cannot be counted exactly; take rounder numbers")


class OnFailure(StrEnum):
    """What a rule set decides while its store does not answer."""

    OPEN = "open"
    CLOSED = "closed"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Policies that are decided together: a request passes all of them or is charged by none."""

    name: str
    policies: tuple[Policy, ...]
    on_failure: OnFailure = OnFailure.LOCAL
