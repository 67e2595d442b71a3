"""A limiter that always answers: from memory, from Redis, or without it as its rule set says."""

from .memory import DenyCache, LocalStore
from .policy import OnFailure, RuleSet
from .store import RedisStore, StoreFailure
from .token_bucket import Decision, Outcome, TokenBucket


class Limiter:
    """Decide for one rule set; made once, shared by all threads of a process.

    *processes* is how many processes serve together: without the store, each admits its share.
    """

    def __init__(
        self, rules: RuleSet, store: RedisStore, *, secret: bytes, processes: int = 1
    ) -> None:
        self.rules = rules
        self.refusals = DenyCache(store, LocalStore(rules.policies, processes))
        self._bucket = TokenBucket(rules, self.refusals, secret=secret)
        self._local = TokenBucket(rules, self.refusals.local, secret=secret)

    def decide(self, client: str) -> Decision:
        """Charge one token of each policy to *client* if every policy allows it.

        Never raises for a failing store.
        """
        try:
            return self._bucket.take(client)
        except StoreFailure:
            return self._without_store(client)

    def _without_store(self, client: str) -> Decision:
        way = self.rules.on_failure
        if way is OnFailure.LOCAL:
            return self._local.take(client)._replace(degraded=way)
        allowed = way is OnFailure.OPEN
        wait_us = 0 if allowed else 1_000_000  # to come back to a limiter that cannot count
        outcomes = (Outcome(each, allowed, 0, wait_us, 0) for each in self.rules.policies)
        return Decision(allowed, tuple(outcomes), way)
