"""What one process remembers: whom Redis refused, and buckets for as long as it does not answer."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .policy import Policy
from .store import RedisStore

type Refusal = list[tuple[int, int, int]]  # of each bucket: excess, rate, and least excess told


@dataclass
class LocalStore:
    """Do in memory what the script does; of *size* buckets the one unused for longest is forgotten.

    Of *processes* that count apart the others are taken to admit as much: a charge counts for all.
    """

    policies: Sequence[Policy]
    processes: int = 1
    size: int = 10_000
    clock_ns: Callable[[], int] = time.monotonic_ns
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _full_at: dict[str, int] = field(default_factory=dict, init=False)  # key -> ticks of the clock

    def run(self, keys: Sequence[str], args: Sequence[int]) -> list[int]:
        """Return the reply of the script to the same arguments; the clock is this process' own."""
        excesses, after = [], {}
        with self._lock:
            now_us = self.clock_ns() // 1_000
            for key, policy in zip(keys, self.policies, strict=True):
                now = now_us * policy.ticks_per_us
                charge = args[1] * policy.ticks_per_token * self.processes  # a full bucket has one
                after[key] = max(now, self._full_at.get(key, now)) + charge
                excesses.append(after[key] - now - max(policy.capacity, charge))
            if max(excesses) <= 0:
                for each in after.items():
                    self._keep(*each)
        return excesses

    def drain(self, keys: Sequence[str], reply: Sequence[int]) -> None:
        """Leave nothing in the buckets that refused, as nothing is left in the store's."""
        with self._lock:
            now_us = self.clock_ns() // 1_000
            for key, policy, excess in zip(keys, self.policies, reply, strict=True):
                if excess > 0:
                    full = max(policy.capacity, policy.ticks_per_token * self.processes)
                    self._keep(key, now_us * policy.ticks_per_us + full)

    def _keep(self, key: str, full_at: int) -> None:
        self._full_at.pop(key, None)  # to the end
        self._full_at[key] = full_at
        if len(self._full_at) > self.size:
            del self._full_at[next(iter(self._full_at))]


@dataclass
class DenyCache:
    """The store, and its latest refusals of requests that cost the same: at most *size* of them.

    A bucket cannot refill faster than its rate: who is refused stays so, whatever anybody asks. Nor
    has it anything left in *local*: else one answer that is late would give it a share of the limit.
    """

    store: RedisStore
    local: LocalStore
    size: int = 10_000
    longest_us: int = 1_000_000  # a changed limit is seen soon
    _refusals: dict[str, tuple[int, int, Refusal]] = field(default_factory=dict, init=False)

    def run(self, keys: Sequence[str], args: Sequence[int]) -> list[int]:
        """Return the reply of the store, or a refusal from memory; raise StoreFailure without one.

        The store decides between *sent* and *received*. A refusal is repeated only until *sent* and
        its wait, never longer than it is true; its age counts from *received*: no wait is too short.
        """
        sent_us = self.local.clock_ns() // 1_000
        until_us, received_us, refusal = self._refusals.get(keys[0], (0, 0, []))
        if sent_us < until_us:
            age_us = sent_us - received_us
            return [max(least, excess - age_us * rate) for excess, rate, least in refusal]
        reply = self.store.run(keys, args)
        if max(reply) > 0:
            rates = [policy.ticks_per_us for policy in self.local.policies]
            # What allows is told as it is now, what will meanwhile as it is then.
            least = [min(excess, 0) for excess in reply]
            refusal = list(zip(reply, rates, least, strict=True))
            wait_us = max(-(-excess // rate) for excess, rate, _ in refusal)
            if len(self._refusals) >= self.size:
                self._refusals.clear()  # atomic; whom it forgets is refused by the store once more
            received_us = self.local.clock_ns() // 1_000
            self._refusals[keys[0]] = sent_us + min(wait_us, self.longest_us), received_us, refusal
            self.local.drain(keys, reply)
        return reply
