"""The outbox to the stream: what was committed is told, in the order of the commits of each room.

https://microservices.io/patterns/data/transactional-outbox.html
"""

from collections.abc import Callable
from pathlib import Path

from psycopg import Connection
from redis import Redis

BATCH = 500
TAKE = (Path(__file__).parent / "take.sql").read_text(encoding="utf-8").encode()
FIELDS = ("room", "epoch", "seq", "body")


def pump(connection: Connection, redis: Redis, stream: str, held: int) -> int:
    """Move one batch, and return how many.

    Dying between the two, it tells the batch again: rooms leave out what they have.

    Args:
        held: how many the stream keeps, about.
    """
    with connection.transaction():
        rows = sorted(connection.execute(TAKE, [BATCH]))
        with redis.pipeline(transaction=False) as pipeline:
            for _, *values in rows:
                pipeline.xadd(stream, dict(zip(FIELDS, values, strict=True)), maxlen=held)
            pipeline.execute()
    return len(rows)


def pump_for_ever(connect: Callable[[], Connection], redis: Redis, stream: str, held: int) -> None:
    """Move whatever is committed, at once; ask each second, should a notice be lost.

    Raises:
        psycopg.Error, redis.RedisError: a connection is lost; begin again.
    """
    with connect() as connection:
        connection.execute("LISTEN outbox")
        while True:
            if pump(connection, redis, stream, held) < BATCH:
                list(connection.notifies(timeout=1, stop_after=1))
