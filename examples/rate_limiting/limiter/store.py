"""Where buckets are: in Redis, which runs the script on them, atomically."""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha1
from pathlib import Path
from typing import Any, cast

from redis import ConnectionPool, Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, RedisClusterException, RedisError
from redis.retry import Retry

SCRIPT = Path(__file__).with_name("token_bucket.lua").read_text("utf-8")
BY_NAME = ("EVALSHA", sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest())
BY_TEXT = ("EVAL", SCRIPT)  # after a restart or SCRIPT FLUSH; loads it, too

type Args = tuple[int | str, ...]


class StoreFailure(Exception):
    """The store gave no answer that can be trusted: gone, slow, read-only, full or loading."""


def client(url: str, *, connect_seconds: float = 0.3) -> "Redis":
    """Return a client that never waits for long; raises ValueError for no URL of a Redis.

    redis-py's own defaults, waits of 5 s and three retries, would hold a request longer than any
    limit is worth. *connect_seconds* is for each step of connecting: TCP, TLS, AUTH.
    """
    return Redis.from_url(
        url,
        socket_timeout=connect_seconds,
        socket_connect_timeout=connect_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,  # without HELLO and CLIENT SETINFO nothing more than EVALSHA has to be allowed
        driver_info=None,
    )


class RedisStore:
    """A Redis server, its Sentinels' primary, or a Redis Cluster, through the client of redis-py.

    An answer may take *timeout_seconds*; to connect takes what the client allows, as does a cluster.
    """

    def __init__(self, client: "Redis | RedisCluster", *, timeout_seconds: float = 0.1) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._thread = threading.local()

    def run(self, keys: Sequence[str], args: Args) -> list[int]:
        """Return the reply of the script; raise StoreFailure, and nothing else, without one.

        Connections are the client's, with its timeouts, TLS and password.
        """
        try:
            try:
                return cast(list[int], self._ask(*BY_NAME, len(keys), *keys, *args))
            except NoScriptError:
                return cast(list[int], self._ask(*BY_TEXT, len(keys), *keys, *args))
        except (RedisError, RedisClusterException, OSError) as error:
            raise StoreFailure(f"{type(error).__name__}: {error}") from error

    def _ask(self, *command: int | str) -> object:
        if isinstance(self._client, RedisCluster):  # which looks for the node of the keys
            return self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py
        held: Lease | None = getattr(self._thread, "lease", None)
        if held is not None and held.pid == os.getpid():  # a forked child must not share a socket
            try:
                return held.ask(command)
            except NoScriptError:
                raise
            except RedisError as error:
                self._thread.lease = None
                # Closed while idle, or by a restart. If the command was run all the same, asking
                # again charges twice: an error on the safe side, in a rare moment.
                if type(error) is not Disconnected:
                    raise
        self._thread.lease = None
        self._thread.lease = lease = Lease(self._client.connection_pool, self._timeout_seconds)
        return lease.ask(command)


class Lease:
    """A connection that a thread keeps: to take one from the pool for each decision costs a third.

    It goes back to the pool with its thread, and is closed first if an answer may still come.
    """

    def __init__(self, pool: ConnectionPool, timeout_seconds: float) -> None:
        self.pid = os.getpid()
        self._timeout_seconds = timeout_seconds
        self._pool = pool
        self._connection: Any = pool.get_connection()

    def ask(self, command: Sequence[int | str]) -> object:
        """Send one command and return its reply; redis-py disconnects if there is none."""
        try:
            self._connection.send_command(*command, check_health=False)
            return self._connection.read_response(timeout=self._timeout_seconds)
        except NoScriptError:
            raise
        except RedisError:  # of a read-only server, too: the next one may find the new primary
            self._connection.disconnect()
            raise

    def __del__(self) -> None:
        with suppress(Exception):  # at the interpreter's end there may be no pool
            self._pool.release(self._connection)
