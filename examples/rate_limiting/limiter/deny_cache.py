"""Refusals that need no store: a bucket cannot refill faster than its rate.

A refused client stays refused until its Retry-After, whatever anybody asks meanwhile. So a hot
client is refused from memory, and the answer is as exact as the one it repeats.
"""

from dataclasses import dataclass, field

from .token_bucket import Decision


@dataclass
class DenyCache:
    """The latest refusals of one rule set, at most *size* of them."""

    size: int = 10_000
    longest_seconds: float = 1.0  # a changed limit is seen soon
    _refusals: dict[str, tuple[float, float, Decision]] = field(default_factory=dict, init=False)

    def get(self, client: str, now: float) -> Decision | None:
        """Return the refusal that still holds at *now*, its times counted from then."""
        until, received, decision = self._refusals.get(client, (now, now, None))
        if decision is None or now >= until:
            return None
        age_us = int((now - received) * 1_000_000)
        outcomes = [
            outcome._replace(
                retry_after_us=max(0, outcome.retry_after_us - age_us),
                full_after_us=max(0, outcome.full_after_us - age_us),
            )
            for outcome in decision.outcomes
        ]
        return Decision(False, tuple(outcomes))

    def put(self, client: str, decision: Decision, sent: float, received: float) -> None:
        """Keep a refusal of the store that was asked for and answered at these monotonic times.

        The store decided between the two. It is repeated only until *sent* + Retry-After, never
        longer than it is true; the Retry-After it tells counts from *received*, never too short.
        """
        until = sent + min(decision.retry_after_us / 1_000_000, self.longest_seconds)
        if len(self._refusals) >= self.size:
            self._refusals.clear()  # atomic; whom it forgets is refused by the store once more
        self._refusals[client] = until, received, decision
