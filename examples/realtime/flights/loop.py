"""`loop`: what everybody writes first. Commit, publish, and a loop over the sockets."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress

from asgiref.sync import sync_to_async
from boards.serve import Receive, Send
from redis.exceptions import RedisError

from . import rooms
from .configured import live_redis, redis
from .drills import hold_joining
from .rooms import Change

type Work = Callable[[], Coroutine[None, None, None]]

SOCKETS: dict[str, set[Send]] = defaultdict(set)
TASKS: dict[Work, asyncio.Task[None]] = {}


def publish(change: Change) -> None:
    redis.publish(f"loop:{change.room}", change.body)


async def listen(_scope: object, receive: Receive, send: Send, room: str) -> None:
    keep_running(send_for_ever)
    await receive()  # the handshake
    await send({"type": "websocket.accept"})
    if state := await sync_to_async(rooms.state)(room):
        await send({"type": "websocket.send", "text": state.text})
    await hold_joining(live_redis)
    SOCKETS[room].add(send)
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        SOCKETS[room].discard(send)


def keep_running(work: Work) -> None:
    """Begin, unless this process has begun it."""
    if work not in TASKS:
        TASKS[work] = asyncio.create_task(work())


async def send_for_ever() -> None:
    async for room, text in messages("loop"):
        for send in tuple(SOCKETS[room]):
            with suppress(OSError):  # one that has gone
                await send({"type": "websocket.send", "text": text})


async def messages(channel: str) -> AsyncIterator[tuple[str, str]]:
    """Yield what is published to the rooms of a channel, and subscribe again where that was cut."""
    while True:
        with suppress(RedisError):
            async with live_redis.pubsub() as pubsub:
                await pubsub.psubscribe(f"{channel}:*")
                async for message in pubsub.listen():
                    if message["type"] == "pmessage":
                        yield message["channel"].partition(":")[2], message["data"]
