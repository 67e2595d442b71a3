"""`boards` over HTTP: who may listen, from which position, and until when."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from boards import drain, serve
from boards.hub import Hub
from boards.messages import REVOKED, End, Message, Position, Refused
from boards.reader import follow
from boards.room import Listener
from boards.serve import Receive, Send
from boards.tickets import Pass, redeem

from .asked import is_private
from .configured import STREAM, Database, live_redis
from .drills import hold_joining

NO_TICKET = End(4401, "a booking asks for a ticket of its own, which is good once, for 30 s")
NO_POSITION = End(4400, "a position is like 0a1b2c3d.17")
CATCH_UP_SECONDS = 5

database = Database()
TASKS: list[asyncio.Task[None]] = []


async def read(room: str) -> Message | None:
    state = await database.state(room)
    await hold_joining(live_redis)
    return state


hub = Hub(read)


async def start() -> None:
    """Read what the stream holds, so that whoever comes back finds what was missed."""
    caught_up = asyncio.Event()
    TASKS.append(asyncio.create_task(follow(live_redis, STREAM, hub, caught_up)))
    drain.on_stop(hub.drain)
    await asyncio.wait([asyncio.create_task(caught_up.wait())], timeout=CATCH_UP_SECONDS)


async def listen(scope: Mapping[str, Any], receive: Receive, send: Send, room: str) -> None:
    """Tell a client of a room, over a WebSocket or with Server-Sent Events."""
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    headers = dict(scope["headers"])
    if scope["type"] == "http":
        last = headers.get(b"last-event-id", b"").decode("latin-1")
        asked = {"since": [last], **asked} if last else asked
        with _listening(await _join(room, asked)) as listener:
            await serve.events(listener, receive, send)
        return
    await send({"type": "websocket.accept"})
    try:
        with _listening(await _join(room, asked)) as listener:
            await serve.socket(listener, receive, send)
    except Refused as refused:
        code, reason, _ = refused.end
        await send({"type": "websocket.close", "code": code, "reason": reason})


async def _join(room: str, asked: Mapping[str, list[str]]) -> Listener:
    """Join a room, and be sure that the session is still good.

    Raises:
        Refused: the position cannot be understood, the ticket is used or old, or the session has ended.
    """
    try:
        position = Position.parse(asked["since"][0]) if "since" in asked else None
    except ValueError:
        raise Refused(NO_POSITION) from None
    if not is_private(room):
        return hub.join(room, position)
    given = await redeem(live_redis, asked.get("ticket", [""])[0])
    if not given or given.room != room:
        raise Refused(NO_TICKET)
    await hold_joining(live_redis)
    return await _still_good(hub.join(room, position, given.session), given)


async def _still_good(listener: Listener, given: Pass) -> Listener:
    """Ask only after it has joined: of a session that ends in between, nobody would tell it."""
    asyncio.get_running_loop().call_later(given.seconds_left(), listener.close, REVOKED)
    try:
        if await database.lives(given.session):
            return listener
    except BaseException:
        hub.leave(listener)
        raise
    hub.leave(listener)
    raise Refused(REVOKED)


@contextmanager
def _listening(listener: Listener) -> Iterator[Listener]:
    try:
        yield listener
    finally:
        hub.leave(listener)
