"""The layers in the order in which a reader meets them: this process, Redis, the computation."""

import logging
import os
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from .breaker import Breaker
from .gate import Gate
from .leases import Leases, Reading, Source, State, name_of
from .local_layer import LocalLayer
from .tags import Tags, leave_demoted
from .tracking import Tracking
from .values import Ttl, Value

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.005

type Compute = Callable[[], Value]


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
        self._in_transaction, self._after_refresh = in_transaction, after_refresh
        self._patience_seconds = patience_seconds

        def begin() -> None:
            """Set up what belongs to one process: after a fork nobody tells the copy of its purges."""
            self.local, self.breaker = LocalLayer(local_bytes), Breaker()
            self._gate = Gate(most_computations, patience_seconds)
            self._background = ThreadPoolExecutor(2, "refresh")
            Tracking(self.local, redis).start()

        begin()
        os.register_at_fork(after_in_child=begin)

    def get(self, key: str, compute: Compute, ttl: Ttl, *, nearest: bool = True) -> Answer:
        """Return the value of *key*: one that no purge before this call has voided.

        Args:
            nearest: also from the local layer, which hears of a purge a moment later.

        Raises:
            Overloaded: the database has more to do than it may, for longer than the patience.
        """
        if self._in_transaction():
            return Answer(self._gate.run(compute), Source.BYPASS)
        if nearest and (value := self.local.get(key)):
            return Answer(value, Source.LOCAL)
        deadline, pause_seconds = time.monotonic() + self._patience_seconds, FIRST_PAUSE_SECONDS
        while time.monotonic() < deadline:
            epoch = self.local.epoch  # before the read: a purge that overtakes it is noticed
            if (reading := self._asked(lambda: self.leases.read(key, ttl))) is None:
                break
            if reading.state is State.FRESH and (value := reading.value):
                self.local.store(key, value, reading.left_ms / 1000, epoch)
                return Answer(value, Source.REDIS)
            if reading.state is not State.WAIT:
                return self._answer(key, reading, compute, ttl)
            time.sleep(pause_seconds * random.uniform(0.5, 1))  # noqa: S311 -- no secret
            pause_seconds = min(2 * pause_seconds, 0.05)
        return Answer(self._gate.run(compute), Source.BYPASS)

    def purge(self, tags: Iterable[str]) -> bool:
        """Void what carries one of *tags*; False if Redis did not hear of it.

        While the breaker is open it is not asked: who changes many rows would wait for each of them.
        """
        chosen = tuple(tags)
        heard = self._asked(lambda: self.tags.purge(chosen)) is not None
        self.local.purge([name_of(tag) for tag in chosen])  # need not wait for Redis to publish it
        return heard

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

    def _answer(self, key: str, reading: Reading, compute: Compute, ttl: Ttl) -> Answer:
        if (value := reading.value) is None:
            return self._fill(key, reading.lease, compute, ttl)
        if reading.state is State.REFRESH:
            ends = time.monotonic() + ttl.lease_ms / 1000
            self._background.submit(self._refresh, key, reading.lease, ends, compute, ttl)
        return Answer(value, Source.STALE)

    def _fill(self, key: str, lease: str, compute: Compute, ttl: Ttl) -> Answer:
        try:
            value = self._gate.run(compute)
        except BaseException:
            self._asked(lambda: self.leases.give_back(key, lease))
            raise
        source = self._asked(lambda: self.leases.fill(key, lease, value, ttl))
        return Answer(value, source or Source.BYPASS)

    def _refresh(self, key: str, lease: str, lease_ends: float, compute: Compute, ttl: Ttl) -> None:
        try:
            # One that waited its turn for longer than its lease is due again; its reader was served.
            if time.monotonic() < lease_ends:
                self._fill(key, lease, compute, ttl)
        except Exception:
            logger.exception("stale is served on: %s could not be computed", key)
        finally:
            self._after_refresh()
