"""Moments that an experiment holds open: nobody else can write the keys, and without one nothing waits."""

import asyncio
import time
from contextlib import suppress

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

STEP_SECONDS = 0.1


def hold_publishing(redis: Redis, room: str, seq: int) -> None:
    """Wait between commit and publish while the key names this change."""
    while redis.get(f"drill:publishing:{room}") == str(seq):
        time.sleep(STEP_SECONDS)


async def hold_joining(redis: AsyncRedis) -> None:
    """Wait between what a listener begins with and what comes while the key is there; it counts who waits."""
    with suppress(RedisError):  # who joins needs no Redis
        if await redis.exists("drill:joining"):
            await redis.incr("drill:joining")
        while await redis.exists("drill:joining"):
            await asyncio.sleep(STEP_SECONDS)
