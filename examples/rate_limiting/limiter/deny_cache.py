"""Refusals that need no store: a bucket cannot refill faster than its rate.

A refused client stays refused until its Retry-After, whatever anybody asks meanwhile. So a hot
client is refused from memory, and the answer is as exact as the one it repeats.
"""

import threading

from .decision import Decision, Mode, Outcome

type Key = tuple[str, int | None]


class DenyCache:
    """The latest refusals of one rule set, at most *size* of them.

    An entry lives for *longest_seconds* at most, so that a reset in another process is seen soon.
    """

    def __init__(self, *, size: int = 10_000, longest_seconds: float = 1.0) -> None:
        self._size = size
        self._longest_seconds = longest_seconds
        self._lock = threading.Lock()
        self._refusals: dict[Key, tuple[float, float, Decision]] = {}

    def get(self, key: Key, now: float) -> Decision | None:
        """Return the refusal that still holds at *now*, its times counted from then."""
        found = self._refusals.get(key)
        if found is None or now >= found[0]:
            return None
        _, received, decision = found
        age_us = int((now - received) * 1_000_000)
        outcomes = [
            Outcome(
                policy,
                allowed,
                remaining,
                max(0, retry_after_us - age_us),
                max(0, full_us - age_us),
            )
            for policy, allowed, remaining, retry_after_us, full_us in decision.outcomes
        ]
        return Decision(False, tuple(outcomes), Mode.CACHED)

    def put(self, key: Key, decision: Decision, sent: float, received: float) -> None:
        """Keep a refusal that was asked for and answered at these monotonic times.

        The store decided between the two. It is repeated only until *sent* + Retry-After, never
        longer than it is true; the Retry-After it tells counts from *received*, never too short.
        """
        if decision.allowed or decision.mode is not Mode.EXACT or decision.shadowed:
            return
        lives_seconds = min(decision.retry_after_us / 1_000_000, self._longest_seconds)
        with self._lock:
            self._refusals.pop(key, None)  # to the end: the oldest refusal goes first
            if len(self._refusals) >= self._size:
                del self._refusals[next(iter(self._refusals))]
            self._refusals[key] = (sent + lives_seconds, received, decision)

    def clear(self) -> None:
        """Forget all refusals."""
        with self._lock:
            self._refusals.clear()
