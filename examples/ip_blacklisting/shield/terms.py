"""How long a ban lasts: twice as long each time, for who does not stop; what is long ago counts less.

fail2ban does the same with `bantime.increment`. https://github.com/fail2ban/fail2ban/wiki
"""

import math
from collections.abc import Iterable

FIRST_SECONDS = 600.0
LONGEST_SECONDS = 7 * 86_400.0
HALF_LIFE_SECONDS = 30 * 86_400.0


def term_seconds(ages_seconds: Iterable[float]) -> float:
    """Return how long the next ban lasts, from the ages of those before it."""
    strikes = sum(0.5 ** (age / HALF_LIFE_SECONDS) for age in ages_seconds)
    return min(FIRST_SECONDS * math.pow(2, min(strikes, 64)), LONGEST_SECONDS)
