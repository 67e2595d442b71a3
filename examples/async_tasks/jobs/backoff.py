"""When to try again: exponential backoff with full jitter.

M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog (2015).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that grow with the failures, and of which no two are alike."""

    base_seconds: float = 7
    cap_seconds: float = 120
    uniform: Callable[[float, float], float] = random.uniform

    def longest(self, failures: int) -> float:
        """Return the bound of the delay after so many failures."""
        # 2 ** 32 seconds are past every cap, and any larger power may be past every float.
        return min(self.cap_seconds, self.base_seconds * 2.0 ** min(failures - 1, 32))

    def delay(self, failures: int) -> float:
        """Return a delay in seconds, anywhere between 0 and `longest`."""
        return self.uniform(0, self.longest(failures))
