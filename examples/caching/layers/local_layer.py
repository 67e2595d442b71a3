"""Values in this process, evicted by what Redis publishes (see `tracking`); the epoch guards against races.

https://redis.io/docs/latest/develop/reference/client-side-caching/ (2026-11): "Avoiding race conditions"
"""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from .tags import EVERYTHING
from .values import Value

ENTRY_BYTES: Final = 750  # what Python needs for an entry beyond its data
REMEMBERED: Final = 10_000  # tags whose last purge is known by time; older ones count as purged


class LocalLayer:
    """A bounded map from key to value, for the threads of one process.

    Nothing is served while the tracking connection is down: `epoch` is None then.
    """

    def __init__(self, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[Value, float]] = OrderedDict()
        self._keys: defaultdict[str, set[str]] = defaultdict(set)  # tag -> keys
        self._epoch = 0
        self._purged: OrderedDict[str, int] = OrderedDict()  # tag -> epoch of its last purge
        self._horizon = 0
        self._up = False

    @property
    def epoch(self) -> int | None:
        """Take this before reading from Redis, and give it to `store`; None while there is no tracking."""
        return self._epoch if self._up else None

    def get(self, key: str) -> Value | None:
        with self._lock:
            if (found := self._entries.get(key)) is None:
                return None
            value, until = found
            if self._clock() >= until:
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return value

    def store(self, key: str, value: Value, seconds: float, epoch: int | None) -> bool:
        """Keep *value*, unless one of its tags was purged since *epoch* was taken.

        Otherwise the answer of a read that was overtaken by a purge would stay.
        """
        size = self._size(key, value)
        with self._lock:
            if not self._up or epoch is None or epoch < self._horizon or size > self.most_bytes:
                return False
            if any(self._purged.get(tag, 0) > epoch for tag in value.tags):
                return False
            self._drop(key)
            self._entries[key] = value, self._clock() + seconds
            self.bytes += size
            for tag in value.tags:
                self._keys[tag].add(key)
            while self.bytes > self.most_bytes:
                self._drop(next(iter(self._entries)))
            return True

    def purge(self, tags: Sequence[str]) -> None:
        """Evict what carries one of *tags*: Redis has said that they were purged."""
        if EVERYTHING in tags:
            return self.clear()
        with self._lock:
            self._epoch += 1
            for tag in tags:
                self._purged[tag] = self._epoch
                self._purged.move_to_end(tag)
                for key in list(self._keys.get(tag, ())):
                    self._drop(key)
            while len(self._purged) > REMEMBERED:
                self._horizon = self._purged.popitem(last=False)[1]
        return None

    def clear(self, *, up: bool | None = None) -> None:
        """Forget everything, reads under way included; say whether the tracking is up."""
        with self._lock:
            self._epoch += 1
            self._horizon = self._epoch
            self._up = self._up if up is None else up
            self._entries.clear()
            self._keys.clear()
            self._purged.clear()
            self.bytes = 0

    def _drop(self, key: str) -> None:
        if (found := self._entries.pop(key, None)) is None:
            return
        value, _ = found
        self.bytes -= self._size(key, value)
        for tag in value.tags:
            self._keys[tag].discard(key)
            if not self._keys[tag]:
                del self._keys[tag]

    @staticmethod
    def _size(key: str, value: Value) -> int:
        return ENTRY_BYTES + len(key) + len(value.data) + 200 * len(value.tags)
