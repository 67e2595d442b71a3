"""The token bucket, decided for all processes at once by one script in Redis.

Generic Cell Rate Algorithm (ITU-T I.371, annex A): a bucket is one number, the time it is full.
"""

from binascii import b2a_base64
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple

from .memory import DenyCache, LocalStore
from .policy import OnFailure, Policy, RuleSet
from .store import RedisStore

PREFIX = "rl"  # of every key, for the pattern of an ACL; 14 characters fill a piece of memory


class Outcome(NamedTuple):  # not a frozen dataclass: made in a third of the time
    """What one policy says; the times count from the decision."""

    policy: Policy
    allowed: bool
    remaining: int
    retry_after_us: int
    full_after_us: int


class Decision(NamedTuple):
    """What the policies of a rule set say together; *degraded* says how, if Redis did not decide."""

    allowed: bool
    outcomes: tuple[Outcome, ...]
    degraded: OnFailure | None = None

    @property
    def retry_after_us(self) -> int:
        """Return the microseconds until the same request is allowed, 0 if it is now."""
        return max(outcome.retry_after_us for outcome in self.outcomes)


class TokenBucket:
    """Charge all policies of a rule set or none, atomically and in one round trip.

    The keys of a client share a hash tag, so that one node of a Redis Cluster decides on it.
    Raises ValueError without a policy, and for two policies whose keys would be the same.
    """

    def __init__(
        self, rules: RuleSet, store: RedisStore | DenyCache | LocalStore, *, secret: bytes
    ) -> None:
        self.rules = rules
        self.store = store
        # Redis holds keyed hashes only: without the secret nobody can test who is behind a key.
        # Of each name a key of its own, so that no name and client read like another name and client.
        key = blake2b(rules.name.encode(), key=blake2b(secret).digest()).digest()
        keyed = blake2b(key=key, digest_size=6)
        suffixes = [suffix(policy.name) for policy in rules.policies]
        if not 0 < len(rules.policies) == len(set(suffixes)):
            raise ValueError(f"rule set {rules.name!r} needs policies, each with a key of its own")

        @lru_cache(maxsize=4_096)  # of no method: a circle would keep the connections of the store
        def keys(client: str) -> list[str]:
            own = keyed.copy()
            own.update(client.encode(errors="backslashreplace"))
            digest = b2a_base64(own.digest(), newline=False).decode()
            return [f"{PREFIX}{{{digest}}}{each}" for each in suffixes]

        self.keys = keys  # of a client, one for each policy
        ticks = [(p.capacity, p.ticks_per_token, p.ticks_per_us) for p in rules.policies]
        self._args = tuple(chain.from_iterable(ticks))
        self._least_burst = min(each.burst for each in rules.policies)

    def take(self, client: str, cost: int = 1, *, now_us: int = 0) -> Decision:
        """Charge *cost* tokens of each policy to *client*; 0 reads and changes nothing.

        The clock is Redis' own unless *now_us*, in microseconds since 2025, is given.
        Raises StoreFailure, and ValueError for a cost above a burst, which could never be paid.
        """
        if not 0 <= cost <= self._least_burst:
            raise ValueError(f"{self.rules.name}: cost {cost} is not from 0 to {self._least_burst}")
        excesses = self.store.run(self.keys(client), (now_us, cost, *self._args))
        allowed, outcomes = max(excesses) <= 0, []
        for policy, excess in zip(self.rules.policies, excesses, strict=True):
            left = -excess if allowed else max(0, cost * policy.ticks_per_token - excess)
            remaining = left // policy.ticks_per_token
            retry_after_us = max(0, -(-excess // policy.ticks_per_us))
            full_after_us = -((left - policy.capacity) // policy.ticks_per_us)
            outcomes.append(Outcome(policy, excess <= 0, remaining, retry_after_us, full_after_us))
        return Decision(allowed, tuple(outcomes))


def suffix(policy: str) -> str:
    """Return two characters for a policy: of 4,096, as only those of one rule set may not meet."""
    return b2a_base64(blake2b(policy.encode(), digest_size=3).digest()).decode()[:2]
