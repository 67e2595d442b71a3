"""The bell that tells all processes of a change: the last entry of a Redis Stream.

It stays there, so who was cut off hears it afterwards; Pub/Sub sends at most once.
https://redis.io/docs/latest/develop/use-cases/pub-sub/
"""

from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from shield.follower import SourceDown

KEY = "bans:changed"


def connect(url: str, *, timeout_seconds: float = 0.5) -> "Redis":
    """Return a client that fails at once: by default it would try for seconds, with a caller waiting."""
    return Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )


def ring(redis: "Redis") -> None:
    """Put an entry in the place of the last one: what has changed is in the database."""
    redis.xadd(KEY, {"changed": 1}, maxlen=1, approximate=False)


class Ears:
    """Those of one process, which know what they have heard last."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._last = b"0"

    def wait(self, seconds: float) -> bool:
        """Tell whether it has rung since it was last heard, or rings within so many seconds."""
        try:
            rung = bool(self._redis.xread({KEY: self._last}, block=int(seconds * 1_000)))
            if rung:  # XREAD's answer has another shape in each protocol
                self._last = cast(Any, self._redis.xrevrange(KEY, count=1))[0][0]
        except RedisError as error:
            raise SourceDown(f"Redis: {error}") from error
        return rung
