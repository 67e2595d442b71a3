"""A limiter that always answers: from memory, from Redis, or without it as its rule set says."""

import time
from collections.abc import Callable

from .deny_cache import DenyCache
from .local_store import LocalStore
from .policy import OnFailure, RuleSet
from .store import RedisStore, StoreFailure
from .token_bucket import Decision, Outcome, TokenBucket


class Limiter:
    """Decide for one rule set; made once, shared by all threads of a process.

    *processes* is how many processes serve together: without the store, each admits its share.
    """

    def __init__(
        self,
        rules: RuleSet,
        store: RedisStore,
        *,
        secret: bytes,
        processes: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = rules
        self._bucket = TokenBucket(rules, store, secret=secret)
        self._buckets = LocalStore(processes=processes)
        self._local = TokenBucket(rules, self._buckets, secret=secret)
        self._refusals = DenyCache()
        self._clock = clock

    def decide(self, client: str) -> Decision:
        """Charge one token of each policy to *client* if every policy allows it.

        Never raises for a failing store.
        """
        started = self._clock()
        if refused := self._refusals.get(client, started):
            return refused
        try:
            decision = self._bucket.take(client)
        except StoreFailure:
            return self._without_store(client)
        if not decision.allowed:
            self._refusals.put(client, decision, sent=started, received=self._clock())
            self._drain(client, decision)
        return decision

    def _drain(self, client: str, decision: Decision) -> None:
        # Else an answer that is late once would give whom Redis has refused a share of the limit.
        for key, outcome in zip(self._bucket.keys(client), decision.outcomes, strict=True):
            if not outcome.allowed:
                self._buckets.drain(key, outcome.policy)

    def _without_store(self, client: str) -> Decision:
        way = self.rules.on_failure
        if way is OnFailure.LOCAL:
            return self._local.take(client)._replace(degraded=way)
        allowed = way is OnFailure.OPEN
        wait_us = 0 if allowed else 1_000_000  # to come back to a limiter that cannot count
        outcomes = (Outcome(each, allowed, 0, wait_us, 0) for each in self.rules.policies)
        return Decision(allowed, tuple(outcomes), way)
