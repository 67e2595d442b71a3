"""A store on one Redis server: one round trip, no retries, no long waits.

redis-py's defaults (5 s timeouts, three retries) would hold a request longer than any limit is
worth. The bytes are RESP: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

import asyncio
import os
import threading
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha1
from typing import Any, cast
from weakref import WeakKeyDictionary

from hiredis import HiredisError, ReplyError
from redis import ConnectionPool
from redis import asyncio as aredis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, RedisError

from .pinned_connection import PinnedConnection
from .shared_connection import SharedConnection
from .store import SCRIPT, Args, StoreFailure

BY_NAME = ("EVALSHA", sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest())
BY_TEXT = ("EVAL", SCRIPT)  # after a restart or SCRIPT FLUSH; loads it, too


class RedisStore:
    """One Redis server, by URL: redis://, rediss:// or unix://; raises ValueError for another.

    No wait on a socket is longer than *timeout_seconds*, and none begins after 80 % of it; only the
    reply on an established connection may take 1.4 times as long. So there is an answer or a
    StoreFailure within 1.8 times the timeout. (While connecting, the resolution of a
    host name, and AUTH and SELECT where the URL asks for them, are waits of their own.)
    """

    def __init__(self, url: str, *, timeout_seconds: float = 0.05) -> None:
        self._timeout_seconds = timeout_seconds
        self._pool = ConnectionPool.from_url(url)  # reads the URL, nothing more
        self._apool = aredis.ConnectionPool.from_url(url)
        self._thread = threading.local()
        self._loops: WeakKeyDictionary[Any, SharedConnection] = WeakKeyDictionary()

    def run(self, keys: Sequence[str], args: Args) -> list[int]:
        """Run the script on this thread's own connection."""
        last_start = self._last_start()
        reply = self._ask(packed_script(BY_NAME, keys, args), last_start)
        if reply is None:
            reply = self._ask(packed_script(BY_TEXT, keys, args), last_start)
        return cast(list[int], reply)

    async def arun(self, keys: Sequence[str], args: Args) -> list[int]:
        """Run the script on the connection that this event loop's tasks share."""
        last_start = self._last_start()
        reply = await self._aask(packed_script(BY_NAME, keys, args), last_start)
        if reply is None:
            reply = await self._aask(packed_script(BY_TEXT, keys, args), last_start)
        return cast(list[int], reply)

    def delete(self, keys: Sequence[str]) -> int:
        """Delete the keys and return how many there were."""
        return cast(int, self._ask(packed("DEL", *keys), self._last_start()))

    def _ask(self, command: bytes, last_start: float) -> object:
        pinned = self._pinned()
        try:
            reply = pinned.exchange(command, last_start)
        except (OSError, RedisError, HiredisError) as error:
            raise StoreFailure(f"{type(error).__name__}: {error}") from error
        if isinstance(reply, ReplyError):
            if str(reply).startswith("NOSCRIPT"):
                return None
            pinned.close()  # of a read-only server: the next connection may find the new primary
            raise StoreFailure(str(reply))
        return reply

    async def _aask(self, command: bytes, last_start: float) -> object:
        shared = self._shared()
        reused = shared.connected
        try:
            return await shared.ask(command, last_start)
        except NoScriptError:
            return None
        except (RedisError, OSError) as error:
            shared.close()
            # As in PinnedConnection: closed while idle, or by a restart.
            if reused and type(error) is Disconnected and time.monotonic() < last_start:
                return await self._aask(command, last_start)
            raise StoreFailure(f"{type(error).__name__}: {error}") from error

    def _last_start(self) -> float:
        return time.monotonic() + 0.8 * self._timeout_seconds

    def _pinned(self) -> PinnedConnection:
        pinned: PinnedConnection | None = getattr(self._thread, "pinned", None)
        if pinned is None or pinned.pid != os.getpid():  # a forked child must not share a socket
            options = self._pool.connection_kwargs | self._options()
            pinned = PinnedConnection(self._pool.connection_class(**options))
            self._thread.pinned = pinned
        return pinned

    def _shared(self) -> SharedConnection:
        loop = asyncio.get_running_loop()
        shared = self._loops.get(loop)
        if shared is None or shared.closed:
            # It reads all the time, so it has no timeout of its own.
            options = self._apool.connection_kwargs | self._options() | {"socket_timeout": None}
            connection = self._apool.connection_class(**options)
            shared = self._loops[loop] = SharedConnection(connection, self._timeout_seconds)
        return shared

    def _options(self) -> dict[str, Any]:
        return {
            "protocol": 2,  # without HELLO and CLIENT SETINFO, connecting is one round trip
            "driver_info": None,
            "retry": None,
            "socket_timeout": self._timeout_seconds,
            "socket_connect_timeout": self._timeout_seconds,
        }


def packed_script(call: tuple[str, str], keys: Sequence[str], args: Args) -> bytes:
    """Return the bytes that call the script; only the keys are packed each time."""
    head, tail = _around(call, len(keys), args)
    return f"{head}{_bulk(keys)}{tail}".encode("ascii")


def packed(*parts: str) -> bytes:
    """Return the bytes of one command."""
    return f"*{len(parts)}\r\n{_bulk(parts)}".encode("ascii")


@lru_cache(maxsize=1_024)  # a rule set sends the same numbers every time
def _around(call: tuple[str, str], keys: int, args: Args) -> tuple[str, str]:
    parts = (*call, str(keys))
    return f"*{len(parts) + keys + len(args)}\r\n{_bulk(parts)}", _bulk(map(str, args))


def _bulk(parts: Iterable[str]) -> str:
    return "".join([f"${len(part)}\r\n{part}\r\n" for part in parts])
