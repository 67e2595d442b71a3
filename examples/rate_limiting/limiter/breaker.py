"""A circuit breaker: when the store has failed, one question at a time asks whether it is back.

Michael Nygard, Release It!, 2nd edition (2018), chapter 5.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

logger = logging.getLogger("limiter")


@dataclass
class Breaker:
    """Open after so many failures in a row; closed again by the first success."""

    failures: int = 3
    probe_seconds: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _failed: int = field(default=0, init=False)
    _next_probe: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def allows(self) -> bool:
        """Tell whether to ask the store; while open, this is true for one caller at a time."""
        if self._failed < self.failures:
            return True
        with self._lock:
            due = self.clock() >= self._next_probe
            if due:  # the lookup of a name has no time-out: who hangs in it is waited for
                self._next_probe = self.clock() + 20 * self.probe_seconds
        return due

    def succeeded(self) -> None:
        """Note an answer of the store; the first one after a failure is a line in the log."""
        if self._failed:
            with self._lock:
                if self._failed:  # else another thread was first
                    logger.warning("Redis decides again.")
                self._failed = 0

    def failed(self, reason: str) -> None:
        """Note that the store did not answer; the first time is a line in the log, with the reason."""
        with self._lock:
            if not self._failed:
                logger.warning("Redis does not decide, policies do without: %s", reason)
            self._failed += 1
            self._next_probe = self.clock() + self.probe_seconds
