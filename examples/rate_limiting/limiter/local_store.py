"""Buckets of one process, for as long as Redis does not answer."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .policy import Policy


@dataclass
class LocalStore:
    """Do in memory what the script does; of *size* buckets the one unused for longest is forgotten.

    Of *processes* that count apart the others are taken to admit as much: a charge counts for all.
    """

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
            for key, capacity, cost, per_us in zip(
                keys, args[1::3], args[2::3], args[3::3], strict=True
            ):
                now, charge = now_us * per_us, cost * self.processes
                after[key] = max(now, self._full_at.get(key, now)) + charge
                excesses.append(after[key] - now - max(capacity, charge))  # a full bucket has one
            if max(excesses) <= 0:
                self._keep(after)
        return excesses

    def drain(self, key: str, policy: Policy) -> None:
        """Leave nothing in a bucket, as nothing is left in the store's."""
        with self._lock:
            now = self.clock_ns() // 1_000 * policy.ticks_per_us
            full = max(policy.capacity, policy.ticks_per_token * self.processes)
            self._keep({key: now + full})

    def _keep(self, buckets: Mapping[str, int]) -> None:
        for key, full_at in buckets.items():
            self._full_at.pop(key, None)  # to the end
            self._full_at[key] = full_at
        while len(self._full_at) > self.size:
            del self._full_at[next(iter(self._full_at))]
