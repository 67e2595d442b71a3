"""Values in this process, under the rule that holds in Redis: void if a tag was purged since the epoch.

https://redis.io/docs/latest/develop/reference/client-side-caching/ (2026-11): "Avoiding race conditions"
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from .values import EVERYTHING, Value

ENTRY_BYTES: Final = 750  # what Python needs for an entry beyond its data
REMEMBERED: Final = 10_000  # tags; one more, and all count as purged


class LocalLayer:
    """A bounded map from key to value, for the threads of one process.

    Nothing is served while nobody tells it of purges (see `tracking`): `epoch` is None then.
    """

    def __init__(self, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most_bytes, self.bytes = most_bytes, 0
        self._clock, self._lock = clock, threading.Lock()
        self._entries: OrderedDict[str, tuple[Value, float, int, int]] = OrderedDict()
        self._purged: dict[str, int] = {}  # tag -> epoch of its last purge
        self._horizon = 0  # the epoch of everything else's
        self._epoch, self._up = 0, False

    @property
    def epoch(self) -> int | None:
        """Take this before reading from Redis, and give it to `store`; None while no purge is heard."""
        return self._epoch if self._up else None

    def get(self, key: str) -> Value | None:
        """Return the value of *key*, unless one of its tags was purged since its epoch was taken.

        So the answer of a read that was overtaken by a purge is never served from here.
        """
        with self._lock:
            # Stored while it went down, if at all: `epoch` looks twice without the lock.
            if not self._up or (found := self._entries.get(key)) is None:
                return None
            value, until, epoch, _ = found
            purged = any(self._purged.get(tag, 0) > epoch for tag in value.tags)
            if purged or epoch < self._horizon or self._clock() >= until:
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return value

    def store(self, key: str, value: Value, seconds: float, epoch: int) -> None:
        """Keep *value*, which was read after *epoch* was taken; what was not read for longest goes."""
        size = ENTRY_BYTES + len(key) + len(value.data) + 200 * len(value.tags)
        if size > self.most_bytes:
            return
        with self._lock:
            self._drop(key)
            self._entries[key] = value, self._clock() + seconds, epoch, size
            self.bytes += size
            while self.bytes > self.most_bytes:
                self._drop(next(iter(self._entries)))

    def purge(self, tags: Iterable[str]) -> None:
        """Void what carries one of *tags*, reads under way included: Redis has said that they were purged."""
        with self._lock:
            self._epoch += 1
            self._purged |= dict.fromkeys(tags, self._epoch)
            if EVERYTHING in self._purged or len(self._purged) > REMEMBERED:
                self._purged.clear()
                self._horizon = self._epoch

    def clear(self, *, up: bool) -> None:
        """Void everything, reads under way included; say whether purges are heard from here on."""
        with self._lock:
            self._epoch += 1
            self._horizon = self._epoch
            self._up = up

    def _drop(self, key: str) -> None:
        if found := self._entries.pop(key, None):
            self.bytes -= found[-1]
