"""A circuit breaker: when the store has failed, one question per interval asks whether it is back.

Michael Nygard, Release It!, 2nd edition (2018), chapter 5.
"""

import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger("limiter")


class Breaker:
    """Open after so many failures in a row; closed again by the first success.

    The first failure and the first success after it are one line each in the log.
    """

    def __init__(
        self,
        *,
        failures: int = 3,
        probe_seconds: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.probe_seconds = probe_seconds
        self._limit = failures
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._next_probe = 0.0

    def allows(self) -> bool:
        """Tell whether to ask the store; while open, this is true for one caller per interval.

        A probe that never reports back delays the next one by nothing: it has an interval's turn.
        """
        if self._failures < self._limit:
            return True
        with self._lock:
            now = self._clock()
            if now < self._next_probe:
                return False
            self._next_probe = now + self.probe_seconds
            return True

    def succeeded(self) -> None:
        """Note an answer of the store."""
        if self._failures:
            with self._lock:
                again, self._failures = self._failures > 0, 0
            if again:
                logger.warning("Redis decides again.")

    def failed(self, reason: str) -> None:
        """Note that the store did not answer, and why."""
        with self._lock:
            self._failures += 1
            first = self._failures == 1
            self._next_probe = self._clock() + self.probe_seconds
        if first:
            logger.warning("Redis does not decide, policies do without: %s", reason)
