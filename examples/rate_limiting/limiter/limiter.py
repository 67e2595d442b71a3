"""A limiter that always answers: deny cache, circuit breaker, token bucket, fallback per policy."""

import time
from collections.abc import Callable

from .breaker import Breaker
from .decision import Decision
from .deny_cache import DenyCache
from .local_bucket import Fallback
from .policy import RuleSet
from .store import RedisStore, StoreFailure
from .token_bucket import TokenBucket


class Limiter:
    """Decide for one rule set; made once, shared by all threads of a process.

    *processes* is how many processes serve together: without the store, each admits its share.
    Limiters of one store may share a *breaker*, and then find out together that it is gone.
    """

    def __init__(
        self,
        rules: RuleSet,
        store: RedisStore,
        *,
        secret: bytes,
        processes: int = 1,
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
        self._clock = clock

    def decide(self, client: str) -> Decision:
        """Charge one token of each policy to *client* if every policy allows it.

        Never raises for a failing store.
        """
        started = self._clock()
        if refused := self._refusals.get(client, started):
            return refused
        if not self.breaker.allows():
            return self._fallback.decide(client)
        try:
            decision = self._bucket.take(client)
        except StoreFailure as failure:
            self.breaker.failed(str(failure))
            return self._fallback.decide(client)
        self.breaker.succeeded()
        if not decision.allowed:
            self._fallback.refused(client, decision)
            self._refusals.put(client, decision, sent=started, received=self._clock())
        return decision
