"""Buckets of one process, for as long as Redis does not answer."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


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
                for key, full_at in after.items():
                    self._full_at.pop(key, None)  # to the end
                    self._full_at[key] = full_at
                while len(self._full_at) > self.size:
                    del self._full_at[next(iter(self._full_at))]
        return excesses
