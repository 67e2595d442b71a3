"""The connection on which Redis pushes purges: client-side caching in broadcasting mode.

https://redis.io/docs/latest/develop/reference/client-side-caching/ (2026-11)
"""

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import hiredis
from redis.connection import parse_url

from .leases import TAG_PREFIX
from .local_layer import LocalLayer
from .tags import EVERYTHING

logger = logging.getLogger(__name__)

# Then Redis is asked for a sign of life; after as long again nothing is believed.
SILENCE_SECONDS: Final = 0.25


class Tracking(threading.Thread):
    """The connection on which Redis pushes purges; reconnects for ever, and forgets before it does.

    Args:
        lag: is told how many seconds each push of an own purge took.
    """

    def __init__(
        self, layer: LocalLayer, url: str, lag: Callable[[float], None] = lambda _: None
    ) -> None:
        super().__init__(name="tracking", daemon=True)
        self.layer = layer
        self._lag = lag
        self._where = parse_url(url)  # type: ignore[no-untyped-call]  # of the library

    def run(self) -> None:
        while True:
            try:
                self._follow()
            except (OSError, hiredis.HiredisError) as error:
                logger.info("the local layer is bypassed: %s", error)
            except Exception:
                logger.exception("the local layer is bypassed")
            self.layer.clear(up=False)
            time.sleep(SILENCE_SECONDS)

    def _follow(self) -> None:
        address = self._where.get("host", "localhost"), self._where.get("port", 6379)
        with closing(socket.create_connection(address, SILENCE_SECONDS)) as connection:
            connection.settimeout(SILENCE_SECONDS)
            connection.sendall(self._greeting())
            reader, asked = hiredis.Reader(), False
            while True:
                try:
                    data = connection.recv(65_536)
                except TimeoutError:
                    if asked:
                        raise
                    connection.sendall(b"PING\r\n")
                    asked = True
                    continue
                if not data:
                    raise ConnectionError("Redis closed the tracking connection")
                asked = False
                reader.feed(data)
                while (reply := reader.gets()) is not False:
                    self._heard(reply)

    def _greeting(self) -> bytes:
        commands: list[list[str]] = [["HELLO", "3"]]
        if password := self._where.get("password"):
            commands[0] += ["AUTH", self._where.get("username") or "default", password]
        commands.append(["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", TAG_PREFIX])
        return b"".join(
            hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # typed for one argument
            for command in commands
        )

    def _heard(self, reply: Any) -> None:
        if isinstance(reply, hiredis.PushNotification):
            if reply[0] == b"invalidate":
                # None: the whole database was flushed.
                names = [EVERYTHING.encode()] if reply[1] is None else reply[1]
                tags = [name.decode().removeprefix(TAG_PREFIX) for name in names]
                for seconds in self.layer.pushed(tags):
                    self._lag(seconds)
        elif isinstance(reply, hiredis.ReplyError):
            raise ConnectionError(str(reply))
        elif reply == b"OK":  # of CLIENT TRACKING: from here on no purge is missed
            self.layer.clear(up=True)
