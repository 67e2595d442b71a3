"""Purging by tag: what a value depends on is written on it, and a purge is one number per tag.

An entry is valid while none of its tags was purged after its computation began. Nothing is listed or
deleted, so a purge costs one round trip whatever it covers, and a running computation is void, too.
"""

from collections.abc import Iterable
from typing import Final, cast

from redis import Connection, Redis
from redis.exceptions import ReadOnlyError

from .leases import CLOCK, TAG_PREFIX, name_of, script
from .values import PURGE_MEMORY_MS

EVERYTHING: Final = "*"
CHANNEL: Final = "cache:purges"  # names with spaces between, for the local layers
RUN_ID: Final = "cache:run_id"


class Tags:
    """Purges tags for every process."""

    def __init__(self, redis: "Redis") -> None:
        self._purge = redis.register_script(script("purge.lua"))

    def purge(self, tags: Iterable[str]) -> int:
        """Void all values with one of *tags*; return the logical time of it. Atomic, one round trip."""
        names = [name_of(tag) for tag in dict.fromkeys(tags)]
        keys = [CLOCK, *(f"{TAG_PREFIX}{name}" for name in names)]
        return cast(int, self._purge(keys, [PURGE_MEMORY_MS, CHANNEL, " ".join(names)]))


def adopt(connection: Connection) -> None:
    """Set up a new connection; purge everything if the server is not the one known before.

    For `redis_connect_func`: no reader sees an entry through this connection before that is settled.
    """
    connection.on_connect()  # type: ignore[no-untyped-call]  # of the library, as below
    connection.send_command("INFO", "server")  # type: ignore[no-untyped-call]
    reply = cast(bytes, connection.read_response(disable_decoding=True))
    run_id = dict(line.split(b":", 1) for line in reply.split() if b":" in line)[b"run_id"]
    keys = (CLOCK, f"{TAG_PREFIX}{EVERYTHING}", RUN_ID)
    command = ("EVAL", script("adopt.lua"), len(keys), *keys, PURGE_MEMORY_MS, run_id)
    connection.send_command(*command)  # type: ignore[no-untyped-call]
    connection.read_response()


def leave_demoted(redis: "Redis", error: Exception) -> None:
    """Close the connections to a server that takes no more writes: its address may lead to another by now."""
    if isinstance(error, ReadOnlyError):
        redis.connection_pool.disconnect(inuse_connections=False)
