"""A server of its own for what is restored: on a free port of this machine, in a folder that was empty."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from keep.base import UNFINISHED
from keep.place import Failed, Place, Server, ask

# It is thrown away, or whoever keeps it starts it again: nothing waits for the disk, and no commit for a receiver.
SETTINGS = ("hot_standby=off", "fsync=off", "synchronous_standby_names=", "shared_buffers=32MB")


@contextmanager
def draft(place: Place, folder: Path) -> Iterator[Path]:
    """Yield a folder beside `folder` to restore into; what is not moved away by the end is removed.

    Raises:
        Failed: there is something in `folder`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Failed(f"{folder} is not empty: restore into a folder that is")
    unfinished = folder.with_name(folder.name + UNFINISHED)
    place.run("rm", "-rf", unfinished)  # of a restore that was interrupted
    try:
        yield unfinished
    finally:
        place.run("rm", "-rf", unfinished)


@contextmanager
def served(place: Place, folder: Path, *settings: str) -> Iterator[Server]:
    """Start a server on `folder`, and yield its address once it has recovered; stop it at the end.

    Raises:
        Failed: it ended instead; the reason is its own.
    """
    port, log = free_port(), folder.with_suffix(".log")
    log.unlink(missing_ok=True)
    options = [word for each in (*SETTINGS, *settings) for word in ("-c", each)]
    running = place.start(
        log, "postgres", "-D", folder, "-h", "127.0.0.1", "-p", port, "-k", "", *options
    )
    server = {**place.server, "host": "127.0.0.1", "port": str(port)}
    try:
        while not answers(server):
            if running.poll() is not None:
                raise Failed(reason(log))
            time.sleep(0.05)
        yield server
    finally:
        running.send_signal(signal.SIGINT)
        running.wait()


def answers(server: Server) -> bool:
    """Whether it lets clients in, which it does once it has recovered."""
    try:
        ask({**server, "dbname": "postgres"}, "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def reason(log: Path) -> str:
    """Return why a server ended: the last line of its log that says so."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return "the server did not start: " + (fatal or lines or [""])[-1].partition(":  ")[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
