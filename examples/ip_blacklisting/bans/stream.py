"""Changes on a Redis Stream, whose entries bear their numbers: sent twice, they are there once."""

import json
from collections.abc import Sequence
from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from shield.replica import Change
from shield.sources import SourceDown

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


class RedisStream:
    """Implements `shield.sources.Stream`; for one thread."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def wait(self, after: int, seconds: float) -> Sequence[Change]:
        """Return the changes after *after*, or nothing if there are none for so many seconds."""
        try:
            answer = self._redis.xread({KEY: f"{after}-0"}, count=1_000, block=int(seconds * 1_000))
        except RedisError as error:
            raise SourceDown(f"Redis: {error}") from error
        entries = cast(Any, answer)
        return [_change(*entry) for _, found in entries or () for entry in found]


def publish(redis: "Redis", changes: Sequence[Change]) -> None:
    """Append changes in their order; those that somebody else has appended stay as they are.

    Raises:
        RedisError: Redis does not answer.
    """
    if not changes:
        return
    with redis.pipeline(transaction=False) as pipeline:
        for change in changes:
            fields: Any = {
                "mark": change.mark,
                "previous": change.previous,
                "after": json.dumps(change.document),
            }
            pipeline.xadd(KEY, fields, id=f"{change.seq}-0", maxlen=KEPT, approximate=True)
        for answer in pipeline.execute(raise_on_error=False):
            if isinstance(answer, ResponseError) and "equal or smaller" not in str(answer):
                raise answer


def last(redis: "Redis") -> tuple[int, str]:
    """Return number and mark of the last change on the stream."""
    for name, fields in cast(Any, redis.xrevrange(KEY, count=1)):
        change = _change(name, fields)
        return change.seq, change.mark
    return 0, ""


def _change(name: bytes, fields: dict[bytes, bytes]) -> Change:
    seq = int(name.partition(b"-")[0])
    mark, previous = fields[b"mark"].decode(), fields[b"previous"].decode()
    return Change(seq, mark, previous, json.loads(fields[b"after"]))
