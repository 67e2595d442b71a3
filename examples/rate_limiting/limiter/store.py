"""Where buckets are: in Redis, which runs the script on them, atomically."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any

from redis import ConnectionPool, Redis, RedisCluster, exceptions

from .breaker import Breaker

SCRIPT = Path(__file__).with_name("token_bucket.lua").read_text("utf-8")
BY_NAME = ("EVALSHA", sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest())
BY_TEXT = ("EVAL", SCRIPT)  # after a restart or SCRIPT FLUSH; loads it, too


class StoreFailure(Exception):
    """The store gave no answer that can be trusted: gone, slow, read-only, full or loading."""


def client(url: str, *, connect_seconds: float = 0.3) -> "Redis":
    """Return a client that never waits for long; raises ValueError for no URL of a Redis.

    redis-py's own wait of 5 s would hold a request longer than any limit is worth; of a URL it
    makes a client that tries once. *connect_seconds* is for each step of connecting: TCP, TLS, AUTH.
    """
    return Redis.from_url(
        url,
        socket_timeout=connect_seconds,
        socket_connect_timeout=connect_seconds,
        protocol=2,  # without HELLO and CLIENT SETINFO nothing more than EVALSHA has to be allowed
        driver_info=None,
    )


@dataclass
class RedisStore:
    """A Redis server, its Sentinels' primary, or a Redis Cluster, as a client of redis-py reaches it.

    An answer may take *timeout_seconds*; to connect takes what the client allows, as does a cluster.
    Who asks takes an idle connection from a list: from the client's pool it costs a third.
    """

    client: "Redis | RedisCluster"
    timeout_seconds: float = 0.1
    breaker: Breaker = field(default_factory=Breaker)
    _idle: list[Any] = field(default_factory=list, init=False)  # its pop and append are atomic

    def run(self, keys: Sequence[str], args: Sequence[int]) -> list[int]:
        """Return the reply of the script; raise StoreFailure, and nothing else, without one."""
        if not self.breaker.allows():
            raise StoreFailure("not asked, as it has just failed")
        try:
            try:
                reply: list[int] = self._ask(*BY_NAME, len(keys), *keys, *args)
            except exceptions.NoScriptError:
                reply = self._ask(*BY_TEXT, len(keys), *keys, *args)
        except (exceptions.RedisError, exceptions.RedisClusterException, OSError) as error:
            self.breaker.failed(reason := f"{type(error).__name__}: {error}")
            raise StoreFailure(reason) from error
        self.breaker.succeeded()
        return reply

    def _ask(self, *command: int | str) -> Any:
        if isinstance(self.client, RedisCluster):  # which looks for the node of the keys
            return self.client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py
        connection = self._connection(self.client.connection_pool)
        was_connected = connection.is_connected
        try:
            return self._exchange(connection, command)
        except exceptions.RedisError as error:
            # Closed while idle, or by a restart. If the command was run all the same, asking again
            # charges twice: an error on the safe side, in a rare moment.
            if not was_connected or type(error) is not exceptions.ConnectionError:
                raise
            return self._exchange(connection, command)
        finally:
            if connection.is_connected:
                self._idle.append(connection)

    def _connection(self, pool: ConnectionPool) -> Any:
        with suppress(IndexError):
            idle = self._idle.pop()
            if idle.pid == os.getpid():  # a forked child must not share a socket
                return idle
        return pool.connection_class(**pool.connection_kwargs)  # which it does not count

    def _exchange(self, connection: Any, command: Sequence[int | str]) -> Any:
        try:
            if not connection.is_connected:
                connection.connect()  # sending would connect, too, but ask no Sentinel where
            connection.send_command(*command, check_health=False)
            return connection.read_response(timeout=self.timeout_seconds)
        except BaseException as error:  # of a signal, too
            # The answer may still come, for the next to ask; of a read-only one there may be a successor.
            if not isinstance(error, exceptions.NoScriptError):  # a whole answer; the text follows
                connection.disconnect()
            raise
