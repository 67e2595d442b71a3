"""`loop`: what everybody writes first. Commit, publish, and a loop over the sockets."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from boards.serve import Receive, Send
from redis.exceptions import RedisError

from . import rooms
from .configured import live_redis, redis
from .drills import hold_joining
from .rooms import Change

SOCKETS: dict[str, set[Send]] = defaultdict(set)
TASKS: list[asyncio.Task[None]] = []


def publish(change: Change) -> None:
    redis.publish(f"loop:{change.room}", change.body)


async def listen(_scope: object, receive: Receive, send: Send, room: str) -> None:
    if not TASKS:
        TASKS.append(asyncio.create_task(send_for_ever()))
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


async def send_for_ever() -> None:
    while True:
        with suppress(RedisError):
            async with live_redis.pubsub() as pubsub:
                await pubsub.psubscribe("loop:*")
                async for message in pubsub.listen():
                    await send_to_all(message)


async def send_to_all(message: dict[str, Any]) -> None:
    if message["type"] == "pmessage":
        for send in tuple(SOCKETS[message["channel"].removeprefix("loop:")]):
            with suppress(OSError):  # one that has gone
                await send({"type": "websocket.send", "text": message["data"]})
