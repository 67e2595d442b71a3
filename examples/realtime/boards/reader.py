"""One reader for a process: it goes on behind what it has read last, whatever was cut.

https://redis.io/docs/latest/develop/data-types/streams/
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from .hub import Hub

BATCH = 500
BLOCK_MS = 2_000  # below the 5 s after which the client gives a server up
PAUSE_SECONDS = 0.2
log = logging.getLogger(__name__)


async def follow(redis: Redis, stream: str, hub: Hub, caught_up: asyncio.Event) -> None:
    """Tell the hub all that the stream holds, and what comes, for as long as the process lives.

    Args:
        caught_up: set once it has read all, or cannot; whoever comes back before would find nothing.
    """
    last, server = "0", None
    while True:
        try:
            # Another one, or one that was restarted, may lack what this process has never read.
            same, server = server, await _server(redis)
            if (last != "0" and same != server) or await _is_cut(redis, stream, last):
                log.error("the stream does not go on where it was read: states are read again")
                hub.doubt()
                last = "0"
            while True:
                block = BLOCK_MS if caught_up.is_set() else None
                found: Any = await redis.xread({stream: last}, count=BATCH, block=block)
                entries = found[0][1] if found else ()
                if len(entries) == BATCH and await _is_cut(redis, stream, last):
                    break  # far behind, and entries before these were trimmed
                for entry, fields in entries:
                    _tell(hub, entry, fields)
                    last = entry
                if not entries:
                    caught_up.set()
        except (RedisError, OSError) as error:
            caught_up.set()  # as far as can be
            log.warning("the stream cannot be read, and is asked again: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)


def _tell(hub: Hub, entry: str, fields: Mapping[str, str]) -> None:
    """Go on behind an entry that nobody here understands: its change is missed by its number."""
    try:
        hub.tell(fields)
    except (KeyError, ValueError):
        log.exception("entry %s of the stream is no change", entry)


async def _server(redis: Redis) -> object:
    """Return what a server keeps until its end; another one each time for a user who may not ask (INFO)."""
    with suppress(NoPermissionError):
        return (await redis.info("server")).get("run_id")
    return object()


async def _is_cut(redis: Redis, stream: str, last: str) -> bool:
    """Whether entries after `last` may be gone: trimmed, or the server has lost its data."""
    return last != "0" and not await redis.xrange(stream, max=last, count=1)
