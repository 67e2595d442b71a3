"""A ticket lets a client listen once: browsers send no header with a handshake, and addresses are logged."""

import json
import secrets
import time
from typing import NamedTuple

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

LIVES_SECONDS = 30


class Pass(NamedTuple):
    session: str
    room: str
    expires_at: float

    def seconds_left(self) -> float:
        return self.expires_at - time.time()


def issue(redis: Redis, given: Pass) -> str:
    ticket = secrets.token_urlsafe(24)
    redis.set(f"ticket:{ticket}", json.dumps(given), ex=LIVES_SECONDS)
    return ticket


async def redeem(redis: AsyncRedis, ticket: str) -> Pass | None:
    """Return what the ticket stands for, the first time."""
    found = await redis.getdel(f"ticket:{ticket}")
    return Pass(*json.loads(found)) if found else None
