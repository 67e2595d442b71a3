"""Entries in Redis that one reader fills at a time: leases, soft and hard expiry, no late fills.

Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, section 3.2.1.
"""

import random
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import OutOfMemoryError

PREFIX: Final = (
    "cache:v1:"  # the version of what is stored: an old process and a new one do not meet
)
TAG_PREFIX: Final = f"{PREFIX}tag:"
CLOCK: Final = f"{PREFIX}clock"  # logical: counts leases and purges, so no wall clock can jump
ABSENT: Final = f"{PREFIX}absent"
MOST_BYTES: Final = 1_000_000
LONGEST_NAME: Final = 200


class State(StrEnum):
    """What a read found, and what the reader has to do."""

    FRESH = "fresh"
    STALE = "stale"  # past its soft expiry; somebody else refreshes it
    REFRESH = "refresh"  # past its soft expiry; the reader holds the lease
    COMPUTE = "compute"  # nothing valid; the reader holds the lease
    WAIT = "wait"  # nothing valid; somebody else computes


@dataclass(frozen=True, slots=True)
class Value:
    """What is cached: the bytes, what they depend on, and the version for HTTP."""

    data: bytes
    tags: tuple[str, ...]
    etag: str = ""
    absent: bool = False  # a remembered "there is no such thing"


@dataclass(frozen=True, slots=True)
class Ttl:
    """How long a value is fresh, how long it may be served at all, and how long a computation may take."""

    soft_ms: int
    hard_ms: int
    lease_ms: int
    absent_ms: int = 10_000  # how long "there is no such thing" is remembered
    jitter: float = 0.1  # so that what was filled together does not expire together

    def soft(self) -> int:
        return int(self.soft_ms * random.uniform(1 - self.jitter, 1))  # noqa: S311 -- no secret


@dataclass(frozen=True, slots=True)
class Reading:
    """What a read found.

    Attributes:
        lease: the token to fill with, if the reader got it.
        oddity: what made a miss of an entry: it is `foreign`, or filled `ahead of the clock`.
    """

    state: State
    value: Value | None
    left_ms: int
    lease: str
    oddity: str = ""


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

    def __init__(self, redis: "Redis", *, most_absent: int = 1_000) -> None:
        self.redis = redis
        self._most_absent = most_absent
        self._read = redis.register_script(script("read.lua"))
        self._fill = redis.register_script(script("fill.lua", even_if_full=False))

    def read(self, key: str, ttl: Ttl) -> Reading:
        """Return the value, or the lease to compute it, or neither: then somebody else has the lease."""
        longest_ms = max(ttl.soft_ms, ttl.absent_ms)
        args: list[Any] = [uuid.uuid4().hex, ttl.lease_ms, TAG_PREFIX, longest_ms]
        reply = cast(list[Any], self._read([*self._keys(key), CLOCK], args))
        state, left_ms = State(reply[0].decode()), int(reply[1])
        lease, oddity = reply[2].decode(), reply[3].decode()
        if len(reply) == 4:
            return Reading(state, None, 0, lease, oddity)
        data, tags, etag, crc = reply[4:8]
        if crc != checksum(data, tags, etag):
            raise CorruptEntry(key, lease)
        value = Value(data, tuple(tags.decode().split()), etag.decode(), absent=not data)
        return Reading(state, value, left_ms, lease, oddity)

    def fill(self, key: str, lease: str, value: Value, ttl: Ttl) -> str:
        """Store *value*; return `stored`, or why not.

        That is `late`, `purged`, `foreign tag`, `too large` or `full`.
        """
        if len(value.data) > MOST_BYTES:
            self.give_back(key, lease)
            return "too large"
        tags, etag = " ".join(map(name_of, value.tags)).encode(), value.etag.encode()
        crc = checksum(value.data, tags, etag)
        absent = self._most_absent if value.absent else 0
        soft_ms, hard_ms = (ttl.absent_ms,) * 2 if value.absent else (ttl.soft(), ttl.hard_ms)
        args: list[Any] = [lease, TAG_PREFIX, soft_ms, hard_ms, value.data, tags, etag, crc, absent]
        try:
            return cast(bytes, self._fill([*self._keys(key), ABSENT, CLOCK], args)).decode()
        except OutOfMemoryError:
            self.give_back(key, lease)
            return "full"

    def give_back(self, key: str, lease: str) -> None:
        """Let the next reader compute: this one could not."""
        _, held = self._keys(key)
        # Only an own lease: DELEX would say this in one command, from Redis 8.4 on.
        text = "if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('DEL',KEYS[1]) end"
        self.redis.eval(text, 1, held, lease)

    def forget(self, key: str) -> None:
        """Remove the entry itself: it cannot be read."""
        self.redis.delete(*self._keys(key))

    def _keys(self, key: str) -> Sequence[str]:
        name = name_of(key)
        return [f"{PREFIX}entry:{name}", f"{PREFIX}lease:{name}"]


class CorruptEntry(ValueError):
    """An entry whose bytes are not the ones that were stored."""

    def __init__(self, key: str, lease: str) -> None:
        super().__init__(f"the entry of {key[:LONGEST_NAME]!r} does not match its checksum")
        self.lease = lease


def checksum(data: bytes, tags: bytes, etag: bytes) -> bytes:
    """Return what tells a foreign or damaged entry from an own one; no protection against malice."""
    return b"%08x" % zlib.crc32(b"\0".join((data, tags, etag)))
