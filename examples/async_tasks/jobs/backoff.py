"""When to try again: exponential backoff with full jitter.

M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog (2015).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that grow with the attempt, and of which no two are alike."""

    base_seconds: float
    cap_seconds: float
    uniform: Callable[[float, float], float] = random.uniform

    def longest(self, attempt: int) -> float:
        """Return the bound of the delay after the *attempt*-th run, counted from 1."""
        # 2 ** 32 seconds are past every cap, and any larger power may be past every float.
        return min(self.cap_seconds, self.base_seconds * 2.0 ** min(attempt - 1, 32))

    def delay(self, attempt: int) -> float:
        """Return a delay in seconds, anywhere between 0 and `longest`."""
        return self.uniform(0, self.longest(attempt))
