"""`boards` over HTTP: who may listen, from which position, and until when."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from boards import drain, serve
from boards.hub import Hub
from boards.messages import End, Message, Position, Refused
from boards.reader import follow
from boards.room import Listener
from boards.serve import Receive, Send

from .admission import admitted, still_good
from .configured import STREAM, database, live_redis, reader_redis
from .drills import hold_joining
from .orphaned import stop_once_orphaned

NO_POSITION = End(4400, "a position is like 0a1b2c3d.17")

TASKS: list[asyncio.Task[None]] = []


async def read(room: str) -> Message | None:
    state = await database.state(room)
    await hold_joining(live_redis)
    return state


hub = Hub(read)


async def start() -> None:
    """Read what the stream holds, so that whoever comes back finds what was missed."""
    caught_up = asyncio.Event()
    TASKS.append(asyncio.create_task(follow(reader_redis, STREAM, hub, caught_up)))
    drain.on_stop(hub.drain)
    stop_once_orphaned()
    await caught_up.wait()


async def listen(scope: Mapping[str, Any], receive: Receive, send: Send, room: str) -> None:
    """Tell a client of a room, over a WebSocket or with Server-Sent Events."""
    if scope["type"] == "http":
        with _listening(await _join(scope, room)) as listener:
            await serve.events(listener, receive, send)
        return
    await receive()  # the handshake
    await send({"type": "websocket.accept"})
    try:
        with _listening(await _join(scope, room)) as listener:
            await serve.socket(listener, receive, send)
    except Refused as refused:
        code, reason, _ = refused.end
        await send({"type": "websocket.close", "code": code, "reason": reason})


async def _join(scope: Mapping[str, Any], room: str) -> Listener:
    """Join a room, and be sure that the session still lives.

    Raises:
        Refused: the position cannot be understood, or the client may not listen.
    """
    position = _position(scope)
    given = await admitted(scope, room)
    if not given:
        return hub.join(room, position)
    await hold_joining(live_redis)
    listener = hub.join(room, position, given.session, given.seconds_left())
    try:
        # Once more, now that it has joined: of a session that ended in between, nobody would tell it.
        await still_good(given)
    except BaseException:
        hub.leave(listener)
        raise
    return listener


def _position(scope: Mapping[str, Any]) -> Position | None:
    """Return what the client says that it has heard last; a browser's EventSource says it in a header."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("since", [""])
    said = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1") or asked[0]
    try:
        return Position.parse(said) if said else None
    except ValueError:
        raise Refused(NO_POSITION) from None


@contextmanager
def _listening(listener: Listener) -> Iterator[Listener]:
    try:
        yield listener
    finally:
        hub.leave(listener)
