"""A listener over a WebSocket (RFC 6455) and over Server-Sent Events: the same messages, as plain ASGI."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from .messages import NOTHING_IS_HEARD, End, Refused
from .room import Listener

type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]
type Write = Callable[[], Awaitable[None]]

SILENCE_SECONDS = 15  # a comment after it: proxies close what is silent, and a dead client is found
EVENTS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


async def socket(listener: Listener, receive: Receive, send: Send) -> None:
    """Serve an accepted WebSocket until one of both goes."""

    async def write() -> None:
        while True:
            for message in await listener.take():
                await send({"type": "websocket.send", "text": message.text})

    if end := await _served(listener, write, receive):
        await send({"type": "websocket.close", "code": end.code, "reason": end.reason})


async def events(listener: Listener, receive: Receive, send: Send) -> None:
    """Answer a request with events until one of both goes.

    Raises:
        Refused: before anything is sent.
    """
    messages = await listener.missed()  # what comes may take an hour, and a proxy waits a minute
    await receive()  # the body, which is empty
    await send({"type": "http.response.start", "status": 200, "headers": EVENTS})

    async def say(text: str, *, more: bool = True) -> None:
        await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

    async def write() -> None:
        nonlocal messages
        while True:
            for each in messages:  # one at a time: together they would be a copy for each listener
                await say(f"id: {each.position}\ndata: {each.text}\n\n")
            if not messages:
                await say(": still here\n\n")
            messages = []
            with suppress(TimeoutError):
                messages = await asyncio.wait_for(listener.take(), SILENCE_SECONDS)

    if end := await _served(listener, write, receive):
        retry = f"retry: {end.retry_ms}\n" if end.retry_ms else ""
        told = f"event: end\ndata: {end.code} {end.reason}\n\n"
        await say(retry + told, more=False)


async def _served(listener: Listener, write: Write, receive: Receive) -> End | None:
    """Write until the listener is ended, and return why; None if the client has gone."""
    writer: asyncio.Future[Any] = asyncio.ensure_future(write())
    hearer: asyncio.Future[Any] = asyncio.ensure_future(receive())
    # Cancelled, also where it waits for a client that does not read.
    listener.stop = writer.cancel
    if listener.end:
        writer.cancel()
    try:
        await asyncio.wait((writer, hearer), return_when=asyncio.FIRST_COMPLETED)
        if hearer.done() and hearer.result()["type"] == "websocket.receive":
            listener.close(NOTHING_IS_HEARD)
        elif writer.done() and not writer.cancelled() and (error := writer.exception()):
            if not isinstance(error, Refused):
                return None  # the server says so: the client has gone
            listener.close(error.end)
        return listener.end
    finally:
        writer.cancel()
        hearer.cancel()
