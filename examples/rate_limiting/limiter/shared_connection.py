"""One connection for all tasks of an event loop: answers come in the order of the questions."""

import asyncio
import time
from collections import deque
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TimedOut


class SharedConnection:
    """A connection that serves until its first failure; then it is closed for good.

    A task that gave up leaves its place in the queue, so a late answer never reaches another one.
    """

    def __init__(self, connection: AbstractConnection, timeout_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self.closed = False
        self._timeout_seconds = timeout_seconds
        self._connection = connection
        self._connected: asyncio.Future[Any] = loop.create_future()
        self._questions: deque[asyncio.Future[Any]] = deque()
        self._reader = loop.create_task(self._read())  # held here, or it would be collected

    @property
    def connected(self) -> bool:
        """Tell whether it has been connected to the server, and maybe lost again."""
        return self._connected.done()

    async def ask(self, command: bytes, last_start: float) -> Any:
        """Send one packed command and return its answer; raises RedisError or OSError.

        No wait begins after *last_start*, a monotonic time.
        """
        await self._result(self._connected)
        if self.closed:  # while this task was on its way here
            raise Disconnected("connection closed")
        if time.monotonic() > last_start:
            raise TimedOut("connecting left no time for the question")
        answer = asyncio.get_running_loop().create_future()
        self._questions.append(answer)
        await self._connection.send_packed_command([command], check_health=False)
        return await self._result(answer)

    async def _result(self, future: asyncio.Future[Any]) -> Any:
        if not future.done():
            # Not asyncio.timeout(): when the loop itself was late, the answer is there by now, and
            # the store must not be blamed.
            await asyncio.wait((future,), timeout=self._timeout_seconds)
        if not future.done():
            self.close()
            raise TimedOut("no answer in time")
        if isinstance(future.result(), Exception):
            raise future.result()
        return future.result()

    async def _read(self) -> None:
        error: Exception = Disconnected("connection closed")
        try:
            await self._connection.connect()  # type: ignore[no-untyped-call]  # redis-py
            self._connected.set_result(None)
            while True:
                try:
                    answer = await self._connection.read_response()
                except ResponseError as refusal:
                    answer = refusal
                self._settle(self._questions.popleft(), answer)
        except (RedisError, OSError) as failure:
            error = failure
        finally:
            self.closed = True
            for future in (self._connected, *self._questions):
                self._settle(future, error)
            await self._connection.disconnect(nowait=True)

    @staticmethod
    def _settle(future: asyncio.Future[Any], result: Any) -> None:
        if not future.done():  # a cancelled task is not there to hear it
            future.set_result(result)

    def close(self) -> None:
        """Drop the connection; whoever waits for it fails at once."""
        self.closed = True
        self._reader.cancel()
