"""The token bucket, decided for all processes at once by one script in Redis.

Generic Cell Rate Algorithm (ITU-T I.371, annex A): a bucket is one number, the time it is full.
"""

import hashlib
from binascii import b2a_base64
from functools import lru_cache

from .decision import Decision, Outcome
from .policy import Policy, RuleSet, Scope
from .store import Args, Store


class TokenBucket:
    """Charge all policies of a rule set or none, atomically and in one round trip.

    The keys of a decision share a hash tag, so that Redis Cluster decides it on one node: the
    client's own, for policies per client. A rule set with a ROUTE or GLOBAL policy pays for its
    atomicity with a single slot: one node counts all its clients.
    """

    def __init__(self, rules: RuleSet, store: Store, *, secret: bytes) -> None:
        self.rules = rules
        self.store = store
        # Redis holds keyed hashes only: without the secret nobody can test who is behind a key.
        self._hash = hashlib.blake2b(key=hashlib.blake2b(secret).digest(), digest_size=6)
        self._patterns = [self._pattern(policy) for policy in rules.policies]
        self.keys = lru_cache(maxsize=4_096)(self._keys)
        self.charges = lru_cache(maxsize=1_024)(self._charges)
        self.args = lru_cache(maxsize=1_024)(self._args)

    def take(self, client: str, cost: int | None = None, *, now_us: int | None = None) -> Decision:
        """Charge *cost*, or each policy's own, to *client*; 0 reads and changes nothing.

        The clock is Redis' own unless *now_us*, in microseconds since 2025, is given.
        Raises StoreFailure, and ValueError for a cost above a burst, which could never be paid.
        """
        return self._decision(self.store.run(self.keys(client), self.args(cost, now_us)), cost)

    async def atake(self, client: str, cost: int | None = None) -> Decision:
        """Take from the same buckets without blocking the event loop."""
        return self._decision(await self.store.arun(self.keys(client), self.args(cost)), cost)

    def _keys(self, client: str) -> list[str]:
        digest = self._digest(client)
        return [pattern.replace("*", digest) for pattern in self._patterns]

    def own_keys(self, client: str) -> list[str]:
        """Return the buckets that the client shares with nobody."""
        keyed = zip(self.rules.policies, self.keys(client), strict=True)
        return [key for policy, key in keyed if policy.scope is Scope.CLIENT]

    def _pattern(self, policy: Policy) -> str:
        scopes = {each.scope for each in self.rules.policies}
        rules = "" if policy.scope is Scope.GLOBAL else self.rules.name
        bucket = self._digest(f"{policy.scope}/{rules}/{policy.name}")[:4]
        if scopes == {Scope.CLIENT}:
            return f"{{*}}{bucket}"
        shared = "" if Scope.GLOBAL in scopes else self.rules.name
        owner = "*" if policy.scope is Scope.CLIENT else ""
        return f"{{{self._digest(f'rules/{shared}')[0]}}}{bucket}{owner}"

    def _digest(self, text: str) -> str:
        keyed = self._hash.copy()
        keyed.update(text.encode(errors="backslashreplace"))
        return b2a_base64(keyed.digest(), newline=False).decode()

    def _charges(self, cost: int | None) -> tuple[int, ...]:
        """Return what each policy takes, in its ticks."""
        for policy in self.rules.policies:
            if cost is not None and not 0 <= cost <= policy.burst:
                raise ValueError(
                    f"policy {policy.name!r}: cost {cost} is not from 0 to {policy.burst}"
                )
        return tuple(
            (policy.cost if cost is None else cost) * policy.q for policy in self.rules.policies
        )

    def _args(self, cost: int | None, now_us: int | None = None) -> Args:
        args: list[int | str] = ["" if now_us is None else now_us]
        for policy, charge in zip(self.rules.policies, self.charges(cost), strict=True):
            args += policy.capacity, charge, policy.p, int(policy.shadow)
        return tuple(args)

    def _decision(self, excesses: list[int], cost: int | None) -> Decision:
        allowed = True
        for policy, excess in zip(self.rules.policies, excesses, strict=True):
            if excess > 0 and not policy.shadow:
                allowed = False
        rows = zip(self.rules.policies, self.charges(cost), excesses, strict=True)
        return Decision(allowed, tuple([Outcome.of(*row, allowed) for row in rows]))
