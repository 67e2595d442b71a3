"""One connection for one thread: bytes go out, a reply comes back, nothing else happens.

redis-py makes the connection (TLS, Unix sockets, passwords); its pool, packing and bookkeeping per
command would cost more than a decision does, so the exchange is on the bare socket.
"""

import os
import socket
import ssl
import struct
import time
from contextlib import suppress
from typing import Any

import hiredis
from redis.connection import AbstractConnection

# An established connection waits for one reply and nothing else, so it may wait longer: on a machine
# with more work than cores a healthy server can be late, and must not be taken for a dead one.
PATIENCE = 1.4


class PinnedConnection:
    """A connection that is dropped on the least doubt, and made again for the next question."""

    def __init__(self, connection: AbstractConnection) -> None:
        self.pid = os.getpid()
        self._connection = connection
        self._socket: Any = None
        self._seconds = 0.0
        self._reader = hiredis.Reader()

    def exchange(self, command: bytes, last_start: float) -> Any:
        """Send one packed command and return its reply, an error reply too.

        No wait begins after *last_start*, a monotonic time. Raises OSError, RedisError or
        HiredisError; then the connection is gone, so that a late reply is never taken for the
        answer to the next question.
        """
        reused = self._socket is not None
        try:
            if not reused:
                self._open()
                if time.monotonic() > last_start:
                    raise TimeoutError("connecting left no time for the question")
            self._socket.sendall(command)
            while (reply := self._reader.gets()) is False:
                received = self._socket.recv(4_096)
                if not received:
                    raise ConnectionResetError("closed by the server")
                self._reader.feed(received)
        except BaseException as error:  # also a signal's or a greenlet's, between send and receive
            self.close()
            if reused and isinstance(error, ConnectionError) and time.monotonic() < last_start:
                # Closed while idle, or by a restart. If the command was run all the same, asking
                # again charges twice: an error on the safe side, in a rare moment.
                return self.exchange(command, last_start)
            raise
        if not reused:
            self._wait(PATIENCE * self._seconds)
        return reply

    def close(self) -> None:
        """Drop the connection; the next exchange makes a new one."""
        self._connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py
        self._socket = None

    def __del__(self) -> None:
        """Close with the thread, not when the garbage collector finds the socket."""
        with suppress(Exception):
            self.close()

    def _open(self) -> None:
        self._connection.connect()  # type: ignore[no-untyped-call]  # redis-py
        self._reader = hiredis.Reader()
        self._socket = self._connection._sock  # redis-py 8 has no public name for it
        self._seconds = self._socket.gettimeout() or 0
        self._wait(self._seconds)

    def _wait(self, seconds: float) -> None:
        """Let every later wait on the socket end after *seconds*; 0 never ends one."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(seconds or None)
            return
        # Python's timeout costs a poll() before each send and receive; the kernel's is free.
        timeval = struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        self._socket.settimeout(None)
