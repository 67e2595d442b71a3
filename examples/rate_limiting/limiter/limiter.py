"""A limiter that always answers: deny cache, circuit breaker, token bucket, fallback per policy."""

from collections.abc import Callable

from .policy import RuleSet
from .token_bucket import Decision, Store

Observe = Callable[[Decision, float], None]


class Limiter:
    """Decide for one rule set; safe to share between threads and event loops."""

    def __init__(
        self,
        rules: RuleSet,
        store: Store,
        *,
        secret: bytes,
        processes: int = 1,
        observe: Observe = lambda decision, seconds: None,
    ) -> None:
        self.rules = rules

    def decide(self, client: str, cost: int | None = None) -> Decision:
        """Charge *cost* (by default each policy's own) to *client* if every policy allows it.

        Never raises for a failing store; raises ValueError for a cost that no burst can hold.
        """
        raise NotImplementedError

    async def adecide(self, client: str, cost: int | None = None) -> Decision:
        """Decide like `decide`, on the same counter, without blocking the event loop."""
        raise NotImplementedError

    def peek(self, client: str) -> Decision:
        """Read the client's buckets and change nothing; raises StoreFailure."""
        raise NotImplementedError

    def reset(self, client: str) -> int:
        """Delete the client's own buckets and return how many there were; raises StoreFailure."""
        raise NotImplementedError
