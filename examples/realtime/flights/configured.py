"""What is made from the settings: clients of Redis and of PostgreSQL, and how a process reads a room."""

import asyncio
from typing import Any

import psycopg
from boards.messages import End, Message, Refused
from django.conf import settings
from django.db import connection as of_django
from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from . import rooms

STREAM = "boards"
TIMEOUT_SECONDS = 10  # above the time that the reader blocks
AT_ONCE = 4  # connections to PostgreSQL of one process that tells
UNAVAILABLE = End(1013, "a service does not answer: come back in 5000 ms", 5_000)
LIVES = b"SELECT FROM flights_session WHERE id = %s AND expires_at > now()"

redis: Redis = Redis.from_url(
    settings.REDIS_URL, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
)


# Of the one loop of a process that tells. The reader has to know that it was cut off; for all else a
# connection that was cut while nobody used it is made anew, and hundreds who come at once take turns.
reader_redis: AsyncRedis = AsyncRedis.from_url(
    settings.REDIS_URL, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
)
live_redis: AsyncRedis = AsyncRedis.from_pool(
    BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
)


def _parameters() -> dict[str, Any]:
    parameters: dict[str, Any] = of_django.get_connection_params()
    return {
        name: parameters[name]
        for name in ("host", "port", "dbname", "user", "password")
        if name in parameters
    }


def connect() -> "psycopg.Connection[Any]":
    return psycopg.connect(**_parameters(), autocommit=True, application_name="pump")


class Database:
    """What `live` asks the database: the state of a room, once for all, and whether a session lives."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def state(self, room: str) -> Message | None:
        return rooms.message(await self._row(rooms.STATE.encode(), room))

    async def lives(self, session: str) -> bool:
        return await self._row(LIVES, session) is not None

    async def _row(self, query: bytes, parameter: str) -> Any:
        async with self._turns:
            try:
                async with await psycopg.AsyncConnection.connect(
                    **_parameters(), autocommit=True, application_name="live", connect_timeout=5
                ) as connection:
                    return await (await connection.execute(query, [parameter])).fetchone()
            except psycopg.OperationalError as error:
                raise Refused(UNAVAILABLE) from error


database = Database()
