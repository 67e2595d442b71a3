"""What is made from the settings: clients of Redis and of PostgreSQL."""

import asyncio
from typing import Any

import psycopg
from boards.messages import End, Refused
from django.conf import settings
from django.db import connection as of_django
from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

STREAM = "boards"
UNAVAILABLE = End(1013, "a service does not answer: come back in 5000 ms", 5_000)

redis: Redis = Redis.from_url(settings.REDIS_URL, decode_responses=True)
# Of the one loop of a process that tells. The reader has to know that it was cut off; for all else a
# connection that was cut while nobody used it is made anew, and hundreds who come at once take turns.
reader_redis: AsyncRedis = AsyncRedis.from_url(settings.REDIS_URL, decode_responses=True)
once_more = Retry(NoBackoff(), 1)
live_redis: AsyncRedis = AsyncRedis.from_pool(
    BlockingConnectionPool.from_url(settings.REDIS_URL, decode_responses=True, retry=once_more)
)
turns = asyncio.Semaphore(4)  # connections to PostgreSQL of one process


def _address(name: str) -> dict[str, Any]:
    parameters: dict[str, Any] = of_django.get_connection_params()
    del parameters["cursor_factory"]  # Django's own, and not for asyncio
    return {**parameters, "autocommit": True, "application_name": name}


def connect() -> "psycopg.Connection[Any]":
    connection = psycopg.connect(**_address("pump"))
    # A pump whose machine has gone would keep its rows locked, and the next one waiting for them.
    connection.execute("SET idle_in_transaction_session_timeout = '5s'")
    return connection


async def row_of(query: bytes, parameter: str) -> Any:
    """Ask PostgreSQL in a process that tells.

    Raises:
        Refused: it does not answer.
    """
    async with turns:
        try:
            async with await psycopg.AsyncConnection.connect(**_address("live")) as connection:
                return await (await connection.execute(query, [parameter])).fetchone()
        except psycopg.OperationalError as error:
            raise Refused(UNAVAILABLE) from error
