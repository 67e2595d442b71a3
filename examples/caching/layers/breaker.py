"""A circuit breaker: when Redis has failed, one question per interval asks whether it is back.

Michael Nygard, Release It!, 2nd edition (2018), chapter 5.
"""

import threading
import time
from collections.abc import Callable


class Breaker:
    """Open after so many failures in a row; closed again by the first success."""

    def __init__(
        self,
        *,
        failures: int = 3,
        probe_seconds: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._probe_seconds = probe_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._next_probe = 0.0

    def allows(self) -> bool:
        """Tell whether to ask; while open, this is true for one caller per interval."""
        with self._lock:
            if self._failures < self._limit:
                return True
            now = self._clock()
            if now < self._next_probe:
                return False
            self._next_probe = now + self._probe_seconds
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            self._next_probe = self._clock() + self._probe_seconds
