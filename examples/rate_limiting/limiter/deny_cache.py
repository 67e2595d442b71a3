"""Refusals that need no store: a bucket cannot refill faster than its rate.

A refused client stays refused until its Retry-After, whatever anybody asks meanwhile. So a hot
client is refused from memory, and the answer is as exact as the one it repeats.
"""

import threading

from .decision import Decision, Mode


class DenyCache:
    """The latest refusals of one rule set, at most *size* of them.

    An entry lives for *longest_seconds* at most, so that a changed limit is seen soon.
    """

    def __init__(self, *, size: int = 10_000, longest_seconds: float = 1.0) -> None:
        self._size = size
        self._longest_seconds = longest_seconds
        self._lock = threading.Lock()
        self._refusals: dict[str, tuple[float, float, Decision]] = {}

    def get(self, client: str, now: float) -> Decision | None:
        """Return the refusal that still holds at *now*, its times counted from then."""
        found = self._refusals.get(client)
        if found is None or now >= found[0]:
            return None
        _, received, decision = found
        age_us = int((now - received) * 1_000_000)
        outcomes = [
            outcome._replace(
                retry_after_us=max(0, outcome.retry_after_us - age_us),
                full_after_us=max(0, outcome.full_after_us - age_us),
            )
            for outcome in decision.outcomes
        ]
        return Decision(False, tuple(outcomes), Mode.CACHED)

    def put(self, client: str, decision: Decision, sent: float, received: float) -> None:
        """Keep a refusal of the store that was asked for and answered at these monotonic times.

        The store decided between the two. It is repeated only until *sent* + Retry-After, never
        longer than it is true; the Retry-After it tells counts from *received*, never too short.
        """
        lives_seconds = min(decision.retry_after_us / 1_000_000, self._longest_seconds)
        with self._lock:
            self._refusals.pop(client, None)  # to the end: the oldest refusal goes first
            if len(self._refusals) >= self._size:
                del self._refusals[next(iter(self._refusals))]
            self._refusals[client] = (sent + lives_seconds, received, decision)
