"""Who may listen to a booking: whoever has a ticket, which is good once, for as long as the session lives.

Browsers send no header with a handshake, and addresses are logged: so no address has the session itself.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from boards.messages import REVOKED, End, Refused
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from .asked import is_private
from .configured import UNAVAILABLE, live_redis, row_of

LIVES_SECONDS = 30
LIVES = b"SELECT FROM flights_session WHERE id = %s AND expires_at > now()"
NO_TICKET = End(4401, "a booking asks for a ticket of its own, which is good once, for 30 s")


class Pass(NamedTuple):
    session: str
    room: str
    expires_at: float


def issue(redis: Redis, given: Pass) -> str:
    ticket = secrets.token_urlsafe(24)
    redis.set(f"ticket:{ticket}", json.dumps(given), ex=LIVES_SECONDS)
    return ticket


async def redeem(redis: AsyncRedis, ticket: str) -> Pass | None:
    """Return what the ticket stands for, the first time."""
    found = await redis.getdel(f"ticket:{ticket}")
    return Pass(*json.loads(found)) if found else None


async def admitted(scope: Mapping[str, Any], room: str) -> Pass | None:
    """Return what the ticket stands for; None where everybody may listen.

    Raises:
        Refused: the ticket is used, old, of another room, or its session has ended.
    """
    if not is_private(room):
        return None
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    try:
        given = await redeem(live_redis, asked.get("ticket", [""])[0])
    except RedisError as error:
        raise Refused(UNAVAILABLE) from error
    if not given or given.room != room:
        raise Refused(NO_TICKET)
    await still_good(given)
    return given


async def still_good(given: Pass) -> None:
    """Return if the session lives.

    Raises:
        Refused: it has ended.
    """
    if await row_of(LIVES, given.session) is None:
        raise Refused(REVOKED)
