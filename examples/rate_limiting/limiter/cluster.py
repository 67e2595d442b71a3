"""The same store on a Redis Cluster: same script, same keys, one node per decision."""

import asyncio
from collections.abc import Sequence
from hashlib import sha1
from typing import Any, cast
from weakref import WeakKeyDictionary

from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import NoScriptError, RedisClusterException, RedisError
from redis.retry import Retry

from .store import SCRIPT, Args, StoreFailure

SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
FAILURES = (RedisError, RedisClusterException, OSError)


class ClusterStore:
    """A cluster by the URL of one node; redis-py follows its slots.

    No wait is longer than *timeout_seconds*, but there may be several while the cluster moves.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 0.05) -> None:
        self._url = url
        self._options: dict[str, Any] = {
            "protocol": 2,
            "retry": Retry(NoBackoff(), 1),  # one more look at the slots, for a failed-over node
            "socket_timeout": timeout_seconds,
            "socket_connect_timeout": timeout_seconds,
        }
        self._client: RedisCluster | None = None
        self._loops: WeakKeyDictionary[Any, AsyncRedisCluster] = WeakKeyDictionary()

    def run(self, keys: Sequence[str], args: Args) -> list[int]:
        """Run the script on the node that owns the keys' slot."""
        try:
            cluster = self._cluster()
            try:
                return cast(list[int], cluster.evalsha(SHA, len(keys), *keys, *args))
            except NoScriptError:
                return cast(list[int], cluster.eval(SCRIPT, len(keys), *keys, *args))
        except FAILURES as error:
            raise StoreFailure(f"{type(error).__name__}: {error}") from error

    async def arun(self, keys: Sequence[str], args: Args) -> list[int]:
        """Run the script without blocking the event loop."""
        loop = asyncio.get_running_loop()
        try:
            if (cluster := self._loops.get(loop)) is None:
                cluster = self._loops[loop] = AsyncRedisCluster.from_url(self._url, **self._options)
            try:
                return cast(list[int], await cluster.evalsha(SHA, len(keys), *keys, *args))
            except NoScriptError:
                return cast(list[int], await cluster.eval(SCRIPT, len(keys), *keys, *args))
        except FAILURES as error:
            raise StoreFailure(f"{type(error).__name__}: {error}") from error

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        if cluster := self._loops.pop(asyncio.get_running_loop(), None):
            await cluster.aclose()

    def delete(self, keys: Sequence[str]) -> int:
        """Delete the keys and return how many there were."""
        try:
            return self._cluster().delete(*keys)
        except FAILURES as error:
            raise StoreFailure(f"{type(error).__name__}: {error}") from error

    def _cluster(self) -> RedisCluster:
        if self._client is None:  # not in __init__: it connects, and an example starts without
            self._client = RedisCluster.from_url(self._url, **self._options)
        return self._client
