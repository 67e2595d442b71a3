"""The layers in the order in which a reader meets them: this process, Redis, the computation."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from redis.exceptions import RedisError

from .breaker import Breaker
from .leases import CorruptEntry, Leases, Reading, State, Ttl, Value, name_of
from .local_layer import LocalLayer
from .tags import Tags

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.005

type Compute = Callable[[], Value]
type Note = Callable[[str], None]


class Source(StrEnum):
    """Where an answer came from."""

    LOCAL = "local"
    REDIS = "redis"
    STALE = "stale"
    COMPUTED = "computed"
    OVERTAKEN = (
        "overtaken"  # computed, but a purge or the end of the lease came first: kept nowhere
    )
    BYPASS = "bypass"  # computed, and Redis could not say whether it is current


SOURCES: Final = {
    "stored": Source.COMPUTED,
    "late": Source.OVERTAKEN,
    "purged": Source.OVERTAKEN,
}


@dataclass(frozen=True, slots=True)
class Answer:
    value: Value
    source: Source


class Overloaded(RuntimeError):
    """More computations are waiting for the database than it is allowed to be asked for."""


class LayeredCache:
    """Answers from the nearest layer that is sure to be fresh.

    Args:
        most_computations: how many may run at a time in this process, whatever Redis does.
        note: is told of each event by name: counters.
        after_refresh: called in the thread of a background refresh when it is over.
    """

    def __init__(
        self,
        leases: Leases,
        tags: Tags,
        local: LocalLayer,
        breaker: Breaker,
        *,
        most_computations: int = 4,
        patience_seconds: float = 8,
        note: Note = lambda _: None,
        after_refresh: Callable[[], None] = lambda: None,
    ) -> None:
        self.leases, self.tags, self.local, self.breaker = leases, tags, local, breaker
        self._gate = threading.BoundedSemaphore(most_computations)
        self._patience_seconds = patience_seconds
        self._note = note
        self._after_refresh = after_refresh
        self._background = ThreadPoolExecutor(2, "refresh")

    def get(self, key: str, compute: Compute, ttl: Ttl, *, nearest: bool = True) -> Answer:
        """Return the value of *key*: one that no purge before this call has voided.

        Args:
            nearest: also from the local layer, which hears of a purge a moment later.

        Raises:
            Overloaded: the database has more to do than it may, for longer than the patience.
        """
        if nearest and (value := self.local.get(key)):
            return self._answer(value, Source.LOCAL)
        deadline = time.monotonic() + self._patience_seconds
        pause_seconds = FIRST_PAUSE_SECONDS
        while time.monotonic() < deadline:
            epoch = self.local.epoch  # before the read: a purge that overtakes it is noticed
            if (reading := self._read(key, ttl)) is None:
                return self.uncached(compute)
            match reading.state, reading.value:
                case State.FRESH, Value() as value:
                    self.local.store(key, value, reading.left_ms / 1000, epoch)
                    return self._answer(value, Source.REDIS)
                case State.REFRESH, Value() as value:
                    ends = time.monotonic() + ttl.lease_ms / 1000
                    self._background.submit(self._refresh, key, reading.lease, ends, compute, ttl)
                    return self._answer(value, Source.STALE)
                case State.STALE, Value() as value:
                    return self._answer(value, Source.STALE)
                case State.COMPUTE, _:
                    return self._answer(*self._fill(key, reading.lease, compute, ttl))
                case _:
                    if pause_seconds == FIRST_PAUSE_SECONDS:
                        self._note("waits")
                    time.sleep(pause_seconds * random.uniform(0.5, 1))  # noqa: S311 -- no secret
                    pause_seconds = min(2 * pause_seconds, 0.05)
        return self.uncached(compute)

    def uncached(self, compute: Compute) -> Answer:
        """Compute, and keep nothing."""
        return self._answer(self._computed(compute), Source.BYPASS)

    def purge(self, tags: Iterable[str]) -> bool:
        """Void what carries one of *tags*; False if Redis did not hear of it.

        While the breaker is open it is not asked: who changes many rows would wait for each of them.
        """
        chosen = tuple(tags)
        names = [name_of(tag) for tag in chosen]
        heard = self.breaker.allows() and self._purged(chosen, names)
        self.local.purge(names)  # this process need not wait for the push, which may never come
        return heard

    def _purged(self, tags: tuple[str, ...], names: list[str]) -> bool:
        self.local.expect(names)
        try:
            self.tags.purge(tags)
        except RedisError as error:
            self._failed(error)
            return False
        self.breaker.succeeded()
        self._note("purges")
        return True

    def _read(self, key: str, ttl: Ttl) -> Reading | None:
        if not self.breaker.allows():
            return None
        try:
            reading = self.leases.read(key, ttl)
        except CorruptEntry as error:
            logger.warning("%s", error)
            self._note("corrupt")
            return self._without(key)
        except RedisError as error:
            self._failed(error)
            return None
        self.breaker.succeeded()
        if reading.oddity:
            logger.warning("the entry of %.200r is %s: a miss", key, reading.oddity)
            self._note(reading.oddity)
        return reading

    def _without(self, key: str) -> Reading | None:
        try:
            self.leases.forget(key)
        except RedisError as error:
            self._failed(error)
            return None
        return Reading(State.WAIT, None, 0, "")  # read once more

    def _failed(self, error: RedisError) -> None:
        self.breaker.failed()
        self._note("redis failures")
        logger.info("Redis: %s", error)

    def _fill(self, key: str, lease: str, compute: Compute, ttl: Ttl) -> tuple[Value, Source]:
        try:
            value = self._computed(compute)
        except BaseException:
            self._try(lambda: self.leases.give_back(key, lease))
            raise
        outcome = self._try(lambda: self.leases.fill(key, lease, value, ttl))
        self._note(f"fill {outcome}")
        if outcome in ("too large", "foreign tag"):
            logger.warning("%d bytes of %.200r: not kept: %s", len(value.data), key, outcome)
        return value, SOURCES.get(outcome, Source.BYPASS)

    def _refresh(self, key: str, lease: str, lease_ends: float, compute: Compute, ttl: Ttl) -> None:
        try:
            # One that waited its turn for longer than its lease is due again; its reader was served.
            if time.monotonic() < lease_ends:
                self._fill(key, lease, compute, ttl)
        except Exception:
            logger.exception("stale is served on: %s could not be computed", key)
            self._note("refresh failures")
        finally:
            self._after_refresh()

    def _computed(self, compute: Compute) -> Value:
        if not self._gate.acquire(timeout=self._patience_seconds):
            raise Overloaded
        try:
            return compute()
        finally:
            self._gate.release()

    def _try(self, command: Callable[[], str | None]) -> str:
        try:
            return command() or ""
        except RedisError as error:
            self._failed(error)
            return "failed"

    def _answer(self, value: Value, source: Source) -> Answer:
        self._note(source)
        return Answer(value, source)
