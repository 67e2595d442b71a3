"""Free ports of this machine: the documented one when nobody has it, else another."""

import errno
import fcntl
import os
import secrets
import socket
import tempfile
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TextIO

from nexus import private

# The documented ports: of the process `web`, and of `live`, to which clients connect beside it.
WEB_PORT = int(os.environ.get("NEXUS_WEB_PORT", "8001"))
LIVE_PORT = 8003
NEIGHBOURS = 10  # tried after the documented port, so that an address stays easy to guess
TRIES = 50
OTHERS = range(15_000, 32_000)
RESERVED = Path(tempfile.gettempdir()) / f"nexus-ports-{os.getuid()}"


class Ports:
    """The ports of one stack, kept off other stacks from the look until the last is given back.

    Between a look and a bind, which may be a minute of building images apart, another stack could choose
    the same port. A lock per port says that it is taken; it ends with the process at the latest.
    """

    def __init__(self) -> None:
        self._held: dict[int, TextIO] = {}

    def take(self, preferred: int | None = None) -> int:
        """Return `preferred`, one of those after it, or else any free port, and keep it.

        Raises:
            OSError: no port is free.
            PermissionError: the folder of locks is not this user's own.
        """
        # Not of those that systems give to outgoing connections: one of these could take it at any time.
        others = secrets.SystemRandom().sample(OTHERS, TRIES)
        documented = range(preferred, preferred + NEIGHBOURS) if preferred else ()
        for port in chain(documented, others):
            if is_free(port) and self._reserve(port):
                return port
        raise OSError("no port of this machine is free")

    def give_back(self) -> None:
        """Let other stacks have them."""
        for port, lock in self._held.items():
            _path(port).unlink(missing_ok=True)
            lock.close()
        self._held.clear()

    def _reserve(self, port: int) -> bool:
        private.make_folder(RESERVED)
        try:
            opened = os.open(_path(port), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link: what it leads to is not ours to lock
                return False
            raise
        lock = os.fdopen(opened)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Given back between open and lock, the file is gone, and the lock keeps nobody off.
            if os.path.samestat(os.fstat(lock.fileno()), _path(port).stat()):
                self._held[port] = lock
                return True
        except (BlockingIOError, FileNotFoundError):
            pass
        lock.close()
        return False


def forget_unused() -> None:
    """Remove the locks that stacks left which were killed."""
    if not RESERVED.exists():
        return
    for path in private.make_folder(RESERVED).glob("*"):
        # Its owner may give it back meanwhile, and another one take the port.
        with suppress(BlockingIOError, FileNotFoundError), path.open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                path.unlink()


def _path(port: int) -> Path:
    return RESERVED / str(port)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    # Without SO_REUSEPORT on purpose: a server that shares its port would hide behind a successful bind.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
