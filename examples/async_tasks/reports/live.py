"""What has become of a job, told while it happens: Server-Sent Events, and a WebSocket that can cancel.

WHATWG HTML (2025), section 9.2: `id` and `Last-Event-ID`, and 204 for "do not come back".
"""

import asyncio
import json
from contextlib import aclosing, suppress
from typing import Any, Final
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.http import AsyncHttpConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError
from jobs.events import ENDS, Feed, Told
from jobs.models import Event
from jobs.operating import Refused, cancel

FEED: Final = Feed(settings.DATABASE_URL)
UNKNOWN, BROKEN = 4404, 1011  # the first: of the range that is free for applications
# A job's id is all that a client has to know, and no cookie speaks for it: a page of any origin may listen.
ANY_ORIGIN: Final = (b"Access-Control-Allow-Origin", b"*")
STREAM: Final = [
    (b"Content-Type", b"text/event-stream"),
    (b"Cache-Control", b"no-store"),
    (b"X-Accel-Buffering", b"no"),  # nginx would collect a whole page first
    ANY_ORIGIN,
]


@database_sync_to_async
def latest(job: UUID) -> Told | None:
    """Return what has happened to the job last; None if there is no such job."""
    found = Event.objects.filter(job_id=job).order_by("-id").values_list("id", "state", "progress")
    return Told(*found[0]) if found else None


def asked_for(scope: Any) -> UUID:
    """Return the job that the path names."""
    job: UUID = scope["url_route"]["kwargs"]["job"]
    return job


class Stream(AsyncHttpConsumer):
    """GET: the events of a job, from the one after `Last-Event-ID` on."""

    _telling: asyncio.Task[None] | None = None

    async def http_request(self, message: Any) -> None:
        """Tell in a task of its own, so that a client that goes away is noticed at once."""
        if not message.get("more_body") and self._telling is None:
            self._telling = asyncio.create_task(self._answer())

    async def http_disconnect(self, message: Any) -> None:
        await end(self._telling)
        await super().http_disconnect(message)

    async def _answer(self) -> None:
        given = dict(self.scope["headers"]).get(b"last-event-id", b"") or b"0"
        job = asked_for(self.scope)
        try:
            last = await latest(job)
        except DatabaseError:
            await self._refuse(503, "No database")
            return
        if self.scope["method"] != "GET":
            await self._refuse(405, "Events are for GET")
        elif last is None:
            await self._refuse(404, "No such job")
        elif not given.isdigit() or len(given) > 18:
            await self._refuse(400, "Last-Event-ID is the id of an event")
        elif last.state in ENDS and int(given) >= last.id:
            await self.send_response(204, b"", headers=[ANY_ORIGIN])
        else:
            await self._tell(job, int(given))

    async def _tell(self, job: UUID, after: int) -> None:
        await self.send_headers(headers=STREAM)
        async with aclosing(FEED.follow(job, after)) as events:
            async for event in events:
                await self.send_body(spelled(event), more_body=True)
        await self.send_body(b"")

    async def _refuse(self, status: int, title: str) -> None:
        document = {"type": "about:blank", "title": title, "status": status}
        headers = [(b"Content-Type", b"application/problem+json"), ANY_ORIGIN]
        await self.send_response(status, json.dumps(document).encode(), headers=headers)


def spelled(event: Told | None) -> bytes:
    """Return the event as a stream spells it; nothing to tell is a comment."""
    if event is None:
        return b":\n\n"
    told = json.dumps({"state": event.state, "progress": event.progress})
    return f"id: {event.id}\ndata: {told}\n\n".encode()


class Conversation(AsyncWebsocketConsumer):
    """The same events as JSON texts; the client may say `{"do": "cancel"}`."""

    _telling: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        job = asked_for(self.scope)
        await self.accept()
        try:
            last = await latest(job)
        except DatabaseError:
            await self.close(BROKEN, "no database")
            return
        if last is None:
            await self.close(UNKNOWN, "no such job")
        else:
            self._telling = asyncio.create_task(self._tell(job))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:  # noqa: ARG002 -- Channels names it
        job = asked_for(self.scope)
        try:
            if json.loads(text_data or "") != {"do": "cancel"}:
                raise ValueError
            await database_sync_to_async(cancel)(job)
        except Refused as error:
            await self._complain(str(error))
        except DatabaseError:
            await self._complain("no database; say it again")
        except ValueError:
            await self._complain('all that can be said is {"do": "cancel"}')

    async def disconnect(self, _code: int) -> None:
        await end(self._telling)

    async def _complain(self, error: str) -> None:
        await self.send(json.dumps({"error": error}))

    async def _tell(self, job: UUID) -> None:
        async with aclosing(FEED.follow(job, 0)) as events:
            async for event in events:
                if event is not None:
                    await self.send(json.dumps(event._asdict()))
        await self.close()


async def end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
