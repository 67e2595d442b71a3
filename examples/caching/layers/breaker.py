"""A circuit breaker: when Redis has failed, one question per interval asks whether it is back.

Michael Nygard, Release It!, 2nd edition (2018), chapter 5.
"""

import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Breaker:
    """Open after so many failures in a row, closed by the first success; each is one line in the log."""

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
        if self._failures < self._limit:
            return True
        with self._lock:
            now = self._clock()
            if now < self._next_probe:
                return False
            self._next_probe = now + self._probe_seconds
            return True

    def succeeded(self) -> None:
        if not self._failures:
            return
        with self._lock:
            if self._failures >= self._limit:
                logger.warning("Redis is back")
            self._failures = 0

    def failed(self, reason: object) -> None:
        with self._lock:
            self._failures += 1
            self._next_probe = self._clock() + self._probe_seconds
            if self._failures == self._limit:
                logger.warning("Redis is bypassed: %s", reason)
