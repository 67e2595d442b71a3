"""The token bucket, decided for all processes at once by one script in Redis.

Generic Cell Rate Algorithm (ITU-T I.371, annex A): a bucket is one number, the time it is full.
"""

import hashlib
from binascii import b2a_base64
from functools import lru_cache

from .decision import Decision, Outcome
from .policy import RuleSet
from .store import Args, RedisStore

PREFIX = "rl"  # of every key, for the pattern of an ACL; 14 characters fill a piece of memory


class TokenBucket:
    """Charge all policies of a rule set or none, atomically and in one round trip.

    The keys of a client share a hash tag, so that one node of a Redis Cluster decides on it.
    Raises ValueError for two policies whose keys would be the same.
    """

    def __init__(self, rules: RuleSet, store: RedisStore, *, secret: bytes) -> None:
        self.rules = rules
        self.store = store
        # Redis holds keyed hashes only: without the secret nobody can test who is behind a key.
        self._hash = hashlib.blake2b(key=hashlib.blake2b(secret).digest(), digest_size=6)
        self._hash.update(f"{rules.name}/".encode())
        self._suffixes = [suffix(policy.name) for policy in rules.policies]
        if len(set(self._suffixes)) < len(self._suffixes):
            raise ValueError(f"rule set {rules.name!r}: two policies share a key; rename one")
        self.keys = lru_cache(maxsize=4_096)(self._keys)
        self.args = lru_cache(maxsize=1_024)(self._args)

    def take(self, client: str, cost: int = 1, *, now_us: int | None = None) -> Decision:
        """Charge *cost* tokens of each policy to *client*; 0 reads and changes nothing.

        The clock is Redis' own unless *now_us*, in microseconds since 2025, is given.
        Raises StoreFailure, and ValueError for a cost above a burst, which could never be paid.
        """
        excesses = self.store.run(self.keys(client), self.args(cost, now_us))
        allowed = max(excesses) <= 0
        rows = zip(self.rules.policies, excesses, strict=True)
        outcomes = [Outcome.of(policy, cost, excess, allowed) for policy, excess in rows]
        return Decision(allowed, tuple(outcomes))

    def _keys(self, client: str) -> list[str]:
        keyed = self._hash.copy()
        keyed.update(client.encode(errors="backslashreplace"))
        digest = b2a_base64(keyed.digest(), newline=False).decode()
        return [f"{PREFIX}{{{digest}}}{each}" for each in self._suffixes]

    def _args(self, cost: int, now_us: int | None) -> Args:
        args: list[int | str] = ["" if now_us is None else now_us]
        for policy in self.rules.policies:
            if not 0 <= cost <= policy.burst:
                raise ValueError(
                    f"policy {policy.name!r}: cost {cost} is not from 0 to {policy.burst}"
                )
            args += policy.capacity, cost * policy.ticks_per_token, policy.ticks_per_us
        return tuple(args)


def suffix(policy: str) -> str:
    """Return two characters for a policy: of 4,096, as only those of one rule set may not meet."""
    return b2a_base64(hashlib.blake2b(policy.encode(), digest_size=3).digest()).decode()[:2]
