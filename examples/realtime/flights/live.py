"""`boards` over HTTP: who may listen, from which position, and until when."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from multiprocessing import parent_process
from typing import Any
from urllib.parse import parse_qs

from boards import drain, serve
from boards.hub import Hub
from boards.messages import End, Message, Position, Refused
from boards.reader import follow
from boards.room import Listener
from boards.serve import Receive, Send

from . import rooms
from .configured import STREAM, live_redis, reader_redis, row_of
from .drills import hold_joining
from .tickets import admitted, still_good

type How = Callable[[Listener, Receive, Send], Awaitable[None]]

NO_POSITION = End(4400, "a position is like 0a1b2c3d.17")
TASKS: list[asyncio.Task[None]] = []


async def read(room: str) -> Message | None:
    state = rooms.message(await row_of(rooms.STATE.encode(), room))
    await hold_joining(live_redis)
    return state


hub = Hub(read)


async def start() -> None:
    """Read what the stream holds, so that whoever comes back finds what was missed."""
    caught_up = asyncio.Event()
    TASKS.append(asyncio.create_task(follow(reader_redis, STREAM, hub, caught_up)))
    drain.on_stop(hub.drain)
    _stop_once_orphaned()
    await caught_up.wait()


def _stop_once_orphaned() -> None:
    """Stop as at SIGTERM once the process that keeps this one was killed: nobody else would end it."""
    if (keeper := parent_process()) is None:
        return  # one process alone, which nobody keeps
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_reader(keeper.sentinel)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(keeper.sentinel, stop)


async def listen(scope: Mapping[str, Any], receive: Receive, send: Send, room: str) -> None:
    """Tell a client of a room, over a WebSocket or with Server-Sent Events."""
    if scope["type"] == "http":
        await _tell(serve.events, scope, receive, send, room)
        return
    await receive()  # the handshake
    await send({"type": "websocket.accept"})
    try:
        await _tell(serve.socket, scope, receive, send, room)
    except Refused as refused:
        code, reason, _ = refused.end
        await send({"type": "websocket.close", "code": code, "reason": reason})


async def _tell(
    how: How, scope: Mapping[str, Any], receive: Receive, send: Send, room: str
) -> None:
    """Join a room, be sure that the session still lives, and tell.

    Raises:
        Refused: the position cannot be understood, or the client may not listen.
    """
    position, session, seconds = _position(scope), "", 0.0
    if given := await admitted(scope, room):
        session, seconds = given.session, given.expires_at - time.time()
        await hold_joining(live_redis)
    listener = hub.join(room, position, session, seconds)
    try:
        if given:
            # Once more, now that it has joined: of a session that ended in between, nobody would tell it.
            await still_good(given)
        await how(listener, receive, send)
    finally:
        hub.leave(listener)


def _position(scope: Mapping[str, Any]) -> Position | None:
    """Return what the client says that it has heard last; a browser's EventSource says it in a header."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("since", [""])
    said = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1") or asked[0]
    if said and not Position.parse(said):
        raise Refused(NO_POSITION)
    return Position.parse(said)
