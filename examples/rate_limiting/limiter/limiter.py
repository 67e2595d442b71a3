"""A limiter that always answers: deny cache, circuit breaker, token bucket, fallback per policy."""

import time
from collections.abc import Callable

from .breaker import Breaker
from .decision import Decision
from .deny_cache import DenyCache
from .local_bucket import Fallback
from .policy import RuleSet
from .store import Store, StoreFailure
from .token_bucket import TokenBucket

type Observe = Callable[[Decision, float], None]


class Limiter:
    """Decide for one rule set; made once, shared by all threads and event loops.

    *processes* is how many processes serve together: without the store, each admits its share.
    *observe* is called with every decision and the seconds it took; it must not raise.
    Limiters of one store may share a *breaker*, and then find out together that it is gone.
    """

    def __init__(
        self,
        rules: RuleSet,
        store: Store,
        *,
        secret: bytes,
        processes: int = 1,
        observe: Observe | None = None,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = rules
        self.breaker = breaker or Breaker()
        self._bucket = TokenBucket(rules, store, secret=secret)
        self._refusals = DenyCache()
        self._fallback = Fallback(
            rules, processes=processes, retry_seconds=self.breaker.probe_seconds
        )
        self._observe = observe
        self._clock = clock

    def decide(self, client: str, cost: int | None = None) -> Decision:
        """Charge *cost*, or each policy's own, to *client* if every policy allows it.

        Never raises for a failing store. Raises ValueError for a cost above a policy's burst: a
        mistake of the caller, which no waiting would cure.
        """
        started = self._clock()
        decision = self._refusals.get((client, cost), started)
        if decision is None and self.breaker.allows():
            try:
                decision = self._bucket.take(client, cost)
            except StoreFailure:
                self.breaker.failed()
            else:
                self._answered(client, cost, decision, started)
        return self._finished(client, cost, decision, started)

    async def adecide(self, client: str, cost: int | None = None) -> Decision:
        """Decide from the same buckets without blocking the event loop."""
        started = self._clock()
        decision = self._refusals.get((client, cost), started)
        if decision is None and self.breaker.allows():
            try:
                decision = await self._bucket.atake(client, cost)
            except StoreFailure:
                self.breaker.failed()
            else:
                self._answered(client, cost, decision, started)
        return self._finished(client, cost, decision, started)

    def _answered(self, client: str, cost: int | None, decision: Decision, started: float) -> None:
        self.breaker.succeeded()
        if not decision.allowed:
            self._fallback.refused(client, decision)
            self._refusals.put((client, cost), decision, sent=started, received=self._clock())

    def _finished(
        self, client: str, cost: int | None, decision: Decision | None, started: float
    ) -> Decision:
        if decision is None:
            self._bucket.args(cost)  # the same ValueError as with the store
            decision = self._fallback.decide(client, cost)
        if self._observe:
            self._observe(decision, self._clock() - started)
        return decision

    def peek(self, client: str) -> Decision:
        """Read the client's buckets and change nothing; raises StoreFailure."""
        return self._bucket.take(client, cost=0)

    def reset(self, client: str) -> int:
        """Delete the client's own buckets and return how many there were; raises StoreFailure.

        Buckets shared with others stay. Another process may repeat a refusal for one more second.
        """
        self._refusals.clear()
        return self._bucket.store.delete(self._bucket.own_keys(client))
