"""The layers in the order in which a reader meets them: this process, Redis, the computation."""

import logging
import os
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

from redis import Redis

from .local_layer import LocalLayer
from .redis_layer import RedisLayer
from .tracking import track
from .values import Source, Ttl, Value, name_of

type Compute = Callable[[], Value]


class Answer(NamedTuple):
    value: Value
    source: Source


@dataclass(eq=False)
class LayeredCache:
    """Answers from the nearest layer that is sure to be fresh.

    Args:
        redis: a client with short timeouts and `redis_connect_func=adopt`; `Redis.from_url` retries nothing,
            while `Redis()` asks a frozen server eleven times.
        in_transaction: whether this thread may see what is not committed, or an older snapshot: neither
            belongs into a cache. Django: `lambda: connection.connection and not connection.autocommit`.
        local_bytes: how much this process keeps.
        after_refresh: called in the thread of a background refresh when it is over.
    """

    redis: "Redis"
    _: KW_ONLY
    in_transaction: Callable[[], object]
    local_bytes: int = 16 * 2**20
    patience_seconds: float = 8
    after_refresh: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        if self.redis.get_encoder().decode_responses:
            raise ValueError("values are bytes: a client with decode_responses would decode them")
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Set up what belongs to one process: after a fork nobody tells the copy of its purges."""
        self.local, self.shared = LocalLayer(self.local_bytes), RedisLayer(self.redis)
        self._background = ThreadPoolExecutor(2, "refresh")
        track(self.local, self.redis)

    def get(self, key: str, compute: Compute, ttl: Ttl, *, nearest: bool = True) -> Answer:
        """Return the value of *key*: one that no purge before this call has voided.

        With *nearest* also from the local layer, which hears of a purge a moment later.
        """
        if self.in_transaction():
            return Answer(compute(), Source.BYPASS)
        if nearest and (value := self.local.get(key)):
            return Answer(value, Source.LOCAL)
        deadline, pause_seconds = time.monotonic() + self.patience_seconds, 0.005
        # The epoch comes before the read: a purge that overtakes it is noticed.
        while (epoch := self.local.epoch) is not None and time.monotonic() < deadline:
            if (reply := self.shared.read(key, ttl)) is None:
                break
            left_ms, lease, found = reply
            if found and left_ms:
                self.local.store(key, found, left_ms / 1000, epoch)
                return Answer(found, Source.REDIS)
            if found:
                if lease:
                    ends = time.monotonic() + ttl.lease_ms / 1000
                    self._background.submit(self._refresh, key, lease, compute, ttl, ends)
                return Answer(found, Source.STALE)
            if lease:
                return self._fill(key, lease, compute, ttl)
            time.sleep(pause_seconds * random.uniform(0.5, 1))  # noqa: S311 -- no secret
            pause_seconds = min(2 * pause_seconds, 0.05)
        return Answer(compute(), Source.BYPASS)

    def purge(self, tags: Iterable[str]) -> bool:
        """Void what carries one of *tags*; False if Redis did not hear of it.

        While it is bypassed it is not asked: who changes many rows would wait for each of them.
        """
        names = [*map(name_of, tags)]
        heard = self.local.epoch is not None and self.shared.purge(names)
        self.local.purge(names)  # need not wait for Redis to publish it
        return heard

    def _fill(self, key: str, lease: bytes, compute: Compute, ttl: Ttl) -> Answer:
        try:
            value = compute()
        except BaseException:
            self.shared.give_back(key, lease)
            raise
        return Answer(value, self.shared.fill(key, lease, value, ttl))

    def _refresh(self, key: str, lease: bytes, compute: Compute, ttl: Ttl, ends: float) -> None:
        try:
            # One that waited its turn for longer than its lease is due again; its reader was served.
            if time.monotonic() < ends:
                self._fill(key, lease, compute, ttl)
        except Exception:
            logging.getLogger(__name__).exception(
                "stale is served on: %s could not be computed", key
            )
        finally:
            self.after_refresh()
