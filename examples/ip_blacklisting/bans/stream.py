"""Changes on a Redis Stream, whose entries bear their numbers: sent twice, they are there once."""

import json
from collections.abc import Sequence
from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from shield.follower import SourceDown
from shield.replica import Change, continues

from . import models

KEY = "bans:changes"
KEPT = 10_000  # changes; who is further behind asks PostgreSQL


def connect(url: str, *, timeout_seconds: float = 0.5) -> "Redis":
    """Return a client that fails at once: by default it would try for seconds, with a caller waiting."""
    return Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )


def wait(redis: "Redis", after: int, seconds: float) -> Sequence[Change]:
    """Return the changes after *after*, or nothing if there are none for so many seconds."""
    try:
        answer = redis.xread({KEY: f"{after}-0"}, count=1_000, block=int(seconds * 1_000))
    except RedisError as error:
        raise SourceDown(f"Redis: {error}") from error
    entries = cast(Any, answer)
    return [_change(*entry) for _, found in entries or () for entry in found]


def publish(redis: "Redis") -> None:
    """Append to the stream what it does not have yet; without Redis the processes ask the database.

    If the last change there is not the database's, it tells of another past: a restore. It begins anew.
    """
    last = [_change(*entry) for entry in cast(Any, redis.xrevrange(KEY, count=1))]
    found = models.Change.objects.filter(seq__gte=last[0].seq if last else 0).order_by("-seq")
    rows = list(found.values_list("seq", "mark", "previous", "after")[:KEPT])[::-1]
    if last and not continues([Change(*row) for row in rows[:1]], last[0].seq, last[0].mark):
        redis.delete(KEY)
        publish(redis)
        return
    with redis.pipeline(transaction=False) as pipeline:
        for row in rows:
            fields: Any = {"change": json.dumps(row)}
            pipeline.xadd(KEY, fields, id=f"{row[0]}-0", maxlen=KEPT, approximate=True)
        for answer in pipeline.execute(raise_on_error=False):
            # The last one, and what somebody else has appended meanwhile, stay as they are.
            if isinstance(answer, ResponseError) and "equal or smaller" not in str(answer):
                raise answer


def _change(_name: bytes, fields: dict[bytes, bytes]) -> Change:
    return Change(*json.loads(fields[b"change"]))
