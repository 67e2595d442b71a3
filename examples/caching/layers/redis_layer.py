"""Values in Redis: one reader fills them at a time, under a lease, and a purge is one number per tag.

A value is valid while none of its tags was purged after its computation began. Nothing is listed or
deleted, so a purge costs one round trip whatever it covers, and a running computation is void, too.
Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, section 3.2.1: leases.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha1
from pathlib import Path
from typing import Any, Final, cast

from redis import Connection, Redis
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError

from .values import EVERYTHING, PURGE_MEMORY_MS, Source, Ttl, Value, name_of

# What is stored has a version: an old release and a new one do not meet. Purges have none: they reach both.
ENTRIES: Final = "cache:v2:"
TAG_PREFIX: Final = "cache:tag:"
CLOCK: Final = "cache:clock"  # logical: counts leases and purges, so no wall clock can jump
RUN_ID: Final = "cache:run_id"
CHANNEL: Final = "cache:purges"  # names with spaces between, for the local layers

SCRIPTS: Final = {p.stem: p.read_text("utf-8") for p in Path(__file__).parent.glob("*.lua")}
SHAS: Final = {k: sha1(v.encode(), usedforsecurity=False).hexdigest() for k, v in SCRIPTS.items()}


class RedisLayer(threading.local):
    """What all processes share; every method is one round trip, and atomic.

    Each thread has a connection of its own: to take one from the pool costs a quarter of a read.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis, self._own = redis, cast("Any", None)

    def read(self, key: str, ttl: Ttl) -> tuple[int, bytes, Value | None] | None:
        """Return ms until the soft expiry (0: past it), the lease, the value; None if Redis does not answer.

        The lease is what to fill with; it is empty if it is somebody else's, or there is nothing to compute.
        """
        if (reply := self._run("read", (*_keys(key), CLOCK), (ttl.lease_ms, TAG_PREFIX))) is None:
            return None
        left_ms, lease, data, tags = reply
        return left_ms, lease, None if data is None else Value(data, tuple(tags.decode().split()))

    def fill(self, key: str, lease: bytes, value: Value, ttl: Ttl) -> Source:
        """Store *value*, and say what became of it."""
        tags = " ".join(map(name_of, value.tags))
        soft_ms, hard_ms = (ttl.soft_ms, ttl.hard_ms) if value.data else (ttl.absent_ms,) * 2
        args = lease, TAG_PREFIX, soft_ms, hard_ms, value.data, tags
        return Source((self._run("fill", _keys(key), args) or b"bypass").decode())

    def give_back(self, key: str, lease: bytes) -> None:
        """Let the next reader compute: this one could not."""
        self._run("fill", _keys(key), (lease, TAG_PREFIX))

    def purge(self, tags: Iterable[str]) -> bool:
        """Void all values with one of *tags*; False if Redis does not answer."""
        names = [name_of(tag) for tag in dict.fromkeys(tags)]
        keys = CLOCK, RUN_ID, *(f"{TAG_PREFIX}{name}" for name in names)
        return self._run("purge", keys, (PURGE_MEMORY_MS, CHANNEL, " ".join(names))) is not None

    def _run(self, script: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Return what Redis says; None if it does not."""
        call = len(keys), *keys, *args
        try:
            own = self._own = self._own or self._redis.client()  # type: ignore[no-untyped-call]
            if own.connection.should_reconnect():  # so the tracking has said
                own.connection.disconnect()  # now: the library would do so after the call
            try:
                return own.execute_command("EVALSHA", SHAS[script], *call)
            except NoScriptError:
                return own.execute_command("EVAL", SCRIPTS[script], *call)
        except RedisError as error:
            bypassed(str(error))
            return None
        except BaseException:  # between question and answer: the next one would be told this answer
            if self._own:
                self._own.connection.disconnect()
            raise


def _keys(key: str) -> tuple[str, str]:
    name = name_of(key)
    return f"{ENTRIES}entry:{name}", f"{ENTRIES}lease:{name}"


@lru_cache
def bypassed(reason: str) -> None:
    """Say why Redis is bypassed: once, until it is heard again."""
    logging.getLogger(__name__).warning("Redis is bypassed: %s", reason)


def adopt(connection: Connection) -> None:
    """Set up a new connection; purge everything if the server is not the one known before.

    After a restart from a snapshot or a failover the last purges may be missing. For
    `redis_connect_func`: no reader sees an entry through this connection before that is settled.
    One on which a write is refused is closed: the address of a demoted server may lead to another by now.
    """
    connection.retry.update_supported_errors([ReadOnlyError])
    connection.on_connect()  # type: ignore[no-untyped-call]  # of the library, as below
    keys, args = (CLOCK, RUN_ID, f"{TAG_PREFIX}{EVERYTHING}"), (CHANNEL, EVERYTHING, "if new")
    command = ("EVAL", SCRIPTS["purge"], len(keys), *keys, PURGE_MEMORY_MS, *args)
    connection.send_command(*command)  # type: ignore[no-untyped-call]
    connection.read_response()
