"""Entries in Redis that one reader fills at a time: leases, soft and hard expiry, no late fills.

Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, section 3.2.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import OutOfMemoryError

from .values import Ttl, Value

# What is stored has a version: an old release and a new one do not meet. Purges have none: they reach both.
ENTRIES: Final = "cache:v2:"
TAG_PREFIX: Final = "cache:tag:"
CLOCK: Final = "cache:clock"  # logical: counts leases and purges, so no wall clock can jump
LONGEST_NAME: Final = 200


class State(StrEnum):
    """What a read found, and what the reader has to do."""

    FRESH = "fresh"
    STALE = "stale"  # past its soft expiry; somebody else refreshes it
    REFRESH = "refresh"  # past its soft expiry; the reader holds the lease
    COMPUTE = "compute"  # nothing valid; the reader holds the lease
    WAIT = "wait"  # nothing valid; somebody else computes


class Source(StrEnum):
    """Where an answer came from; of a computed one, what became of it."""

    LOCAL = "local"
    REDIS = "redis"
    STALE = "stale"
    COMPUTED = "computed"  # and stored
    OVERTAKEN = "overtaken"  # kept nowhere: a purge or the end of the lease came first
    BYPASS = "bypass"  # Redis is full or away, and cannot say whether it is current


@dataclass(frozen=True, slots=True)
class Reading:
    """What a read found; `lease` is what to fill with, if the reader got it."""

    state: State
    value: Value | None
    left_ms: int
    lease: str


def name_of(key: str) -> str:
    """Return the name of a key or tag in Redis; one that is long or has spaces becomes a hash."""
    plain = len(key) <= LONGEST_NAME and key.isascii() and key.isprintable() and " " not in key
    return key if plain else sha256(key.encode()).hexdigest()


def script(name: str, *, even_if_full: bool = True) -> str:
    """Return a script; with its memory full Redis still runs those of leases and purges: a few bytes.

    Without the first line a script that began with a deletion could write past `maxmemory`.
    """
    text = Path(__file__).with_name(name).read_text("utf-8")
    return f"#!lua{' flags=allow-oom' if even_if_full else ''}\n{text}"


class Leases:
    """Values in Redis under leases; every method is one round trip and atomic.

    Raises RedisError where Redis does not answer.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._read = redis.register_script(script("read.lua"))
        self._fill = redis.register_script(script("fill.lua", even_if_full=False))

    def read(self, key: str, ttl: Ttl) -> Reading:
        """Return the value, or the lease to compute it, or neither: then somebody else has the lease."""
        args: list[Any] = [ttl.lease_ms, TAG_PREFIX]
        state, left_ms, lease, *entry = cast(list[Any], self._read([*_keys(key), CLOCK], args))
        value = Value(entry[0], tuple(entry[1].decode().split())) if entry else None
        return Reading(State(state.decode()), value, left_ms, lease.decode())

    def fill(self, key: str, lease: str, value: Value, ttl: Ttl) -> Source:
        """Store *value*, and say what became of it."""
        tags = " ".join(map(name_of, value.tags))
        soft_ms, hard_ms = (ttl.absent_ms,) * 2 if value.absent else (ttl.soft(), ttl.hard_ms)
        args: list[Any] = [lease, TAG_PREFIX, soft_ms, hard_ms, value.data, tags]
        try:
            return Source(cast(bytes, self._fill(_keys(key), args)).decode())
        except OutOfMemoryError:
            self.give_back(key, lease)
            return Source.BYPASS

    def give_back(self, key: str, lease: str) -> None:
        """Let the next reader compute: this one could not."""
        # Only an own lease: DELEX would say this in one command, from Redis 8.4 on.
        text = "if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('DEL',KEYS[1]) end"
        self._redis.eval(text, 1, _keys(key)[1], lease)


def _keys(key: str) -> Sequence[str]:
    name = name_of(key)
    return [f"{ENTRIES}entry:{name}", f"{ENTRIES}lease:{name}"]
