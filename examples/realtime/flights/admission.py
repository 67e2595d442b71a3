"""Who may listen to a booking: whoever has a ticket, for as long as the session lives."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from boards.messages import REVOKED, End, Refused
from redis.exceptions import RedisError

from .asked import is_private
from .configured import UNAVAILABLE, database, live_redis
from .tickets import Pass, redeem

NO_TICKET = End(4401, "a booking asks for a ticket of its own, which is good once, for 30 s")


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
    if not await database.lives(given.session):
        raise Refused(REVOKED)
