"""The layers in the order in which a reader meets them: this process, Redis, the computation."""

import logging
import os
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from weakref import WeakMethod

from redis import Redis
from redis.exceptions import RedisError

from .breaker import Breaker
from .gate import Gate
from .leases import Leases, Outcome, Reading, State, name_of
from .local_layer import LocalLayer
from .tags import Tags, leave_demoted
from .tracking import Tracking
from .values import Ttl, Value

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.005

type Compute = Callable[[], Value]


class Source(StrEnum):
    """Where an answer came from."""

    LOCAL = "local"
    REDIS = "redis"
    STALE = "stale"
    COMPUTED = "computed"
    OVERTAKEN = (
        "overtaken"  # computed, and kept nowhere: a purge or the end of the lease came first
    )
    BYPASS = "bypass"  # computed, and Redis could not say whether it is current


SOURCES: Final = {
    Outcome.STORED: Source.COMPUTED,
    Outcome.LATE: Source.OVERTAKEN,
    Outcome.PURGED: Source.OVERTAKEN,
    Outcome.FULL: Source.BYPASS,
    Outcome.FAILED: Source.BYPASS,
}


@dataclass(frozen=True, slots=True)
class Answer:
    value: Value
    source: Source


class LayeredCache:
    """Answers from the nearest layer that is sure to be fresh.

    Args:
        redis: a client with short timeouts and `redis_connect_func=adopt`.
        in_transaction: whether this thread may see what is not committed, or an older snapshot: neither
            belongs into a cache. Django: `lambda: connection.in_atomic_block`.
        local_bytes: how much this process keeps.
        most_computations: how many may run at a time in this process, whatever Redis does.
        after_refresh: called in the thread of a background refresh when it is over.
    """

    def __init__(
        self,
        redis: "Redis",
        *,
        in_transaction: Callable[[], bool],
        local_bytes: int = 16 * 2**20,
        most_computations: int = 4,
        patience_seconds: float = 8,
        after_refresh: Callable[[], None] = lambda: None,
    ) -> None:
        self.redis, self.leases, self.tags = redis, Leases(redis), Tags(redis)
        self._in_transaction = in_transaction
        self._local_bytes = local_bytes
        self._most_computations = most_computations
        self._patience_seconds = patience_seconds
        self._after_refresh = after_refresh
        self._begin()
        begin = WeakMethod(self._begin)
        os.register_at_fork(after_in_child=lambda: (again := begin()) and again())

    def _begin(self) -> None:
        """Set up what belongs to one process: after a fork nobody tells the copy of its purges."""
        self.local, self.breaker = LocalLayer(self._local_bytes), Breaker()
        self._gate = Gate(self._most_computations, self._patience_seconds)
        self._background = ThreadPoolExecutor(2, "refresh")
        Tracking(self.local, self.redis).start()

    def get(self, key: str, compute: Compute, ttl: Ttl, *, nearest: bool = True) -> Answer:
        """Return the value of *key*: one that no purge before this call has voided.

        Args:
            nearest: also from the local layer, which hears of a purge a moment later.

        Raises:
            Overloaded: the database has more to do than it may, for longer than the patience.
        """
        if self._in_transaction():
            return self.uncached(compute)
        if nearest and (value := self.local.get(key)):
            return Answer(value, Source.LOCAL)
        deadline = time.monotonic() + self._patience_seconds
        pause_seconds = FIRST_PAUSE_SECONDS
        while time.monotonic() < deadline:
            epoch = self.local.epoch  # before the read: a purge that overtakes it is noticed
            if (reading := self._read(key, ttl)) is None:
                break
            match reading.state, reading.value:
                case State.FRESH, Value() as value:
                    self.local.store(key, value, reading.left_ms / 1000, epoch)
                    return Answer(value, Source.REDIS)
                case State.REFRESH, Value() as value:
                    ends = time.monotonic() + ttl.lease_ms / 1000
                    self._background.submit(self._refresh, key, reading.lease, ends, compute, ttl)
                    return Answer(value, Source.STALE)
                case State.STALE, Value() as value:
                    return Answer(value, Source.STALE)
                case State.COMPUTE, _:
                    return self._fill(key, reading.lease, compute, ttl)
                case _:
                    time.sleep(pause_seconds * random.uniform(0.5, 1))  # noqa: S311 -- no secret
                    pause_seconds = min(2 * pause_seconds, 0.05)
        return self.uncached(compute)

    def uncached(self, compute: Compute) -> Answer:
        """Compute, and keep nothing."""
        return Answer(self._gate.run(compute), Source.BYPASS)

    def purge(self, tags: Iterable[str]) -> bool:
        """Void what carries one of *tags*; False if Redis did not hear of it.

        While the breaker is open it is not asked: who changes many rows would wait for each of them.
        """
        chosen = tuple(tags)
        heard = self._asked(lambda: self.tags.purge(chosen)) is not None
        self.local.purge([name_of(tag) for tag in chosen])  # need not wait for Redis to publish it
        return heard

    def _read(self, key: str, ttl: Ttl) -> Reading | None:
        return self._asked(lambda: self.leases.read(key, ttl))

    def _asked[T](self, command: Callable[[], T]) -> T | None:
        """Return what Redis says; None if it does not."""
        if not self.breaker.allows():
            return None
        try:
            reply = command()
        except RedisError as error:
            self.breaker.failed(error)
            leave_demoted(self.redis, error)
            return None
        self.breaker.succeeded()
        return reply

    def _fill(self, key: str, lease: str, compute: Compute, ttl: Ttl) -> Answer:
        try:
            value = self._gate.run(compute)
        except BaseException:
            self._asked(lambda: self.leases.give_back(key, lease))
            raise
        outcome = self._asked(lambda: self.leases.fill(key, lease, value, ttl))
        return Answer(value, SOURCES[outcome or Outcome.FAILED])

    def _refresh(self, key: str, lease: str, lease_ends: float, compute: Compute, ttl: Ttl) -> None:
        try:
            # One that waited its turn for longer than its lease is due again; its reader was served.
            if time.monotonic() < lease_ends:
                self._fill(key, lease, compute, ttl)
        except Exception:
            logger.exception("stale is served on: %s could not be computed", key)
        finally:
            self._after_refresh()
