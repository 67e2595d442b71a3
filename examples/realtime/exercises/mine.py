"""Your own way to tell many listeners. It begins as `loop`: publish, and a loop over the sockets.

Win `joining-misses-nothing` first: join before the state is read. With OUTBOX nobody calls `publish`.
"""

from collections import defaultdict
from contextlib import suppress

from asgiref.sync import sync_to_async
from boards.serve import Receive, Send
from flights import rooms
from flights.configured import live_redis, redis
from flights.drills import hold_joining
from flights.loop import keep_running, messages

OUTBOX = False
SOCKETS: defaultdict[str, set[Send]] = defaultdict(set)


def publish(change: rooms.Change) -> None:
    redis.publish(f"mine:{change.room}", change.body)


async def listen(_scope: object, receive: Receive, send: Send, room: str) -> None:
    keep_running(send_for_ever)
    await receive()  # the handshake
    await send({"type": "websocket.accept"})
    state = await sync_to_async(rooms.state)(room)
    await send({"type": "websocket.send", "text": state and state.text})
    await hold_joining(live_redis)  # where an experiment holds who joins
    SOCKETS[room].add(send)
    await receive()  # until it goes
    SOCKETS[room].discard(send)


async def send_for_ever() -> None:
    async for room, text in messages("mine"):
        for send in tuple(SOCKETS[room]):
            with suppress(OSError):  # one that has gone
                await send({"type": "websocket.send", "text": text})
