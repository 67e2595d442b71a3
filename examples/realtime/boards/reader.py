"""One reader for a process: it goes on behind what it has read last, whatever was cut.

https://redis.io/docs/latest/develop/data-types/streams/
"""

import asyncio
import logging
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from .hub import Hub

BLOCK_MS = 5_000
PAUSE_SECONDS = 0.2
log = logging.getLogger(__name__)


async def follow(redis: Redis, stream: str, hub: Hub, caught_up: asyncio.Event) -> None:
    """Tell the hub all that the stream holds, and what comes, for as long as the process lives.

    Args:
        caught_up: set once it has read all, or cannot; whoever comes back before would find nothing.
    """
    last = "0"
    while True:
        try:
            if last != "0" and await _begins_later(redis, stream, last):
                log.error("the stream does not go on where it was read: states are read again")
                hub.doubt()
                last = "0"
            while True:
                block = BLOCK_MS if caught_up.is_set() else None
                found: Any = await redis.xread({stream: last}, count=500, block=block)
                for entry, fields in found[0][1] if found else ():
                    hub.tell(fields)
                    last = entry
                if not found:
                    caught_up.set()
        except (RedisError, OSError) as error:
            caught_up.set()  # as far as can be
            log.warning("the stream cannot be read, and is asked again: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)


async def _begins_later(redis: Redis, stream: str, last: str) -> bool:
    """Whether entries after `last` may be gone: a server that lost its data begins anew."""
    first: Any = await redis.xrange(stream, count=1)
    return not first or _number(first[0][0]) > _number(last)


def _number(entry: str) -> tuple[int, ...]:
    return tuple(map(int, entry.split("-")))
