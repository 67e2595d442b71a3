"""What decides while the store is away: open, closed, or a bucket of this process.

The local buckets count in the same integers as the script, with this process' share of the limit.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from .decision import Decision, Mode, Outcome
from .policy import OnFailure, Policy, RuleSet


class LocalBucket:
    """One policy's buckets in memory, at most *size*; the one unused for longest is forgotten.

    The burst is divided by *processes*, but stays 1 at least; the rate is divided exactly.
    """

    def __init__(self, policy: Policy, *, processes: int, size: int) -> None:
        self._policy = policy
        self._token = policy.ticks_per_token * processes  # a microsecond refills as ever
        self._capacity = max(1, policy.burst // processes) * self._token
        self._size = size
        self._full_at: OrderedDict[str, int] = OrderedDict()  # client -> ticks of the clock

    def weigh(self, client: str, now_us: int, *, charge: bool) -> Outcome:
        """Return what the policy says; take a token only if asked to, and allowed."""
        ticks_per_us = self._policy.ticks_per_us
        lacks = max(0, self._full_at.get(client, 0) - now_us * ticks_per_us)
        excess = lacks + self._token - self._capacity
        if charge and excess <= 0:
            lacks += self._token
            self._keep(client, now_us * ticks_per_us + lacks)
        return Outcome(
            self._policy,
            allowed=excess <= 0,
            remaining=(self._capacity - lacks) // self._token,
            retry_after_us=max(0, -(-excess // ticks_per_us)),
            full_after_us=-(-lacks // ticks_per_us),
        )

    def drain(self, client: str, now_us: int) -> None:
        """Leave nothing in the client's bucket."""
        self._keep(client, now_us * self._policy.ticks_per_us + self._capacity)

    def _keep(self, client: str, full_at: int) -> None:
        self._full_at[client] = full_at
        self._full_at.move_to_end(client)
        if len(self._full_at) > self._size:
            self._full_at.popitem(last=False)


class Fallback:
    """Decide for a rule set without its store: each policy in its own way, all of them or none."""

    def __init__(
        self,
        rules: RuleSet,
        *,
        processes: int = 1,
        retry_seconds: float = 1.0,
        size: int = 10_000,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._policies = rules.policies
        self._retry_us = int(retry_seconds * 1_000_000)
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._buckets = {
            policy.name: LocalBucket(policy, processes=max(1, processes), size=size)
            for policy in rules.policies
        }
        ways = {policy.on_failure for policy in rules.policies}
        strictest = next(
            way for way in (OnFailure.CLOSED, OnFailure.LOCAL, OnFailure.OPEN) if way in ways
        )
        self._mode = Mode(strictest.value)

    def decide(self, client: str) -> Decision:
        """Return a decision whose mode is the strictest of its policies."""
        now_us = self._clock_ns() // 1_000
        with self._lock:
            outcomes = self._outcomes(client, now_us, charge=False)
            allowed = all(outcome.allowed for outcome in outcomes)
            if allowed:
                outcomes = self._outcomes(client, now_us, charge=True)
        return Decision(allowed, outcomes, self._mode)

    def refused(self, client: str, decision: Decision) -> None:
        """Go on from what the store said last: whom it refused has nothing left here either.

        Otherwise a reply that is late once would hand a share of the limit to a refused client.
        """
        now_us = self._clock_ns() // 1_000
        with self._lock:
            for outcome in decision.violated:
                self._buckets[outcome.policy.name].drain(client, now_us)

    def _outcomes(self, client: str, now_us: int, *, charge: bool) -> tuple[Outcome, ...]:
        outcomes = []
        for policy in self._policies:
            match policy.on_failure:
                case OnFailure.OPEN:
                    outcomes.append(Outcome(policy, True, policy.burst, 0, 0))
                case OnFailure.CLOSED:
                    outcomes.append(Outcome(policy, False, 0, self._retry_us, self._retry_us))
                case OnFailure.LOCAL:
                    bucket = self._buckets[policy.name]
                    outcomes.append(bucket.weigh(client, now_us, charge=charge))
        return tuple(outcomes)
