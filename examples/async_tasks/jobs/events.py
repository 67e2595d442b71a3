"""Following jobs: whatever happens to one is told in order, and from where a client has stopped listening.

Events are rows, written in the transaction of the change; one query asks for those of all clients.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import psycopg

from .models import State

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.2
PAUSE_SECONDS: Final = 1.0  # after a failure
QUIET_SECONDS: Final = 15.0  # proxies end a connection on which nothing is said for a minute
ENDS: Final = (State.DONE, State.DEAD, State.CANCELLED)
SINCE: Final = Path(__file__).with_name("events.sql").read_text("utf-8")


class Told(NamedTuple):
    """One event; progress in per cent."""

    id: int
    state: str
    progress: int


@dataclass(eq=False, slots=True)
class Follower:
    job: UUID
    after: int
    told: asyncio.Queue[Told] = field(default_factory=asyncio.Queue)


class Feed:
    """The events of all jobs that clients of this process follow, by one query at a time."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._followers: list[Follower] = []
        self._reader: asyncio.Task[None] | None = None

    async def follow(self, job: UUID, after: int) -> AsyncGenerator[Told | None]:
        """Yield the events of *job* that come after the event *after* (0: all), up to the one that ends it.

        None is yielded where nothing has happened for `QUIET_SECONDS`. A replayed job begins to tell again.
        """
        follower = Follower(job, after)
        self._followers.append(follower)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        try:
            while True:
                try:
                    async with asyncio.timeout(QUIET_SECONDS):
                        event = await follower.told.get()
                except TimeoutError:
                    yield None
                    continue
                yield event
                if event.state in ENDS and follower.told.empty():
                    return
        finally:
            self._followers.remove(follower)

    async def _read(self) -> None:
        """Read for as long as somebody follows; a database that is away is asked again."""
        while self._followers:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=2
                ) as connection:
                    while self._followers:
                        await self._hand_out(connection)
                        await asyncio.sleep(POLL_SECONDS)
            except psycopg.Error as error:
                logger.warning("nothing can be told: %s: %s", type(error).__name__, error)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _hand_out(self, connection: psycopg.AsyncConnection) -> None:
        followers = list(self._followers)
        asked = [[each.job for each in followers], [each.after for each in followers]]
        cursor = await connection.execute(SINCE, asked)
        for place, *event in await cursor.fetchall():
            follower, told = followers[place - 1], Told(*event)
            follower.after = told.id
            follower.told.put_nowait(told)
