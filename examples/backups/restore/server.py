"""A server of its own for what is restored: on no port, and in folders that its owner alone may enter."""

import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from keep.base import UNFINISHED
from keep.locked import locked
from keep.place import Failed, Place, Server, ask

# What is restored brings the settings of the server that it was: whom to archive to, to follow, to wait for,
# what to run. None of them counts here; the server knows its own, and these.
SETTINGS = (
    "max_logical_replication_workers=0",  # subscriptions are no setting
    "max_prepared_transactions=1000",  # or those that the log has would end the recovery
    "hot_standby=off",
    "fsync=off",
    "shared_buffers=32MB",
    "huge_pages=off",  # a container may see those of its machine, and may not have them
    "listen_addresses=",
    "port=5432",  # and not that of PGPORT
)
STATE = "the database system is "  # starting up, not accepting connections, shutting down
# Whoever may enter the folder of the socket is let in.
DOOR = 'touch "$0/conf" && echo "local all all trust" > "$0/hba"'


@contextmanager
def draft(place: Place, folder: Path) -> Iterator[Path]:
    """Yield a folder beside `folder` to restore into; what is not moved away by the end is removed.

    Raises:
        Failed: there is something in `folder`, or another restore into it is under way.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Failed(f"{folder} is not empty: restore into a folder that is")
    unfinished = folder.with_name(folder.name + UNFINISHED)
    if not unfinished.exists():
        place.run("mkdir", "-m", "700", unfinished)
    with locked(unfinished, fcntl.LOCK_EX, f"another restore into {folder} is under way"):
        try:
            # Of a restore that was interrupted.
            place.run("find", unfinished, "-mindepth", "1", "-delete")
            yield unfinished
        finally:
            place.run("rm", "-rf", unfinished)


@contextmanager
def served(place: Place, folder: Path, *settings: str) -> Iterator[Server]:
    """Start a server on `folder`, and yield its address once it has recovered; stop it at the end.

    Raises:
        Failed: it ended instead, or lets nobody in; the reason is its own.
    """
    door = Path(place.run("mktemp", "-d").strip())
    place.run("sh", "-c", DOOR, door)
    own = f"unix_socket_directories={door}", f"hba_file={door}/hba", f"config_file={door}/conf"
    options = [word for each in (*SETTINGS, *own, *settings) for word in ("-c", each)]
    # What ALTER SYSTEM has written would count beside any file; it is the live server's again at the end.
    altered, aside = folder / "postgresql.auto.conf", folder / "postgresql.auto.conf.aside"
    place.run("touch", altered)
    place.run("mv", altered, aside)
    running = place.start(door / "log", "postgres", "-D", folder, *options)
    server = {**place.server, "host": str(door), "port": "5432"}
    try:
        while said := refusal(server):
            if running.poll() is not None:
                raise Failed(reason(door / "log"))
            if "FATAL:  " in said and STATE not in said:
                raise Failed("the server lets nobody in: " + said.partition("FATAL:  ")[2])
            time.sleep(0.05)
        yield server
    finally:
        running.send_signal(signal.SIGINT)
        running.wait()
        place.run("mv", aside, altered)
        place.run("rm", "-r", door)


def refusal(server: Server) -> str:
    """Return why it does not let clients in; nothing once it does."""
    try:
        ask({**server, "dbname": "postgres"}, "SELECT 1")
    except psycopg.OperationalError as error:
        return str(error)
    return ""


def reason(log: Path) -> str:
    """Return why a server ended: the last line of its log that says so, and is no answer to a client."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in lines if STATE not in line]
    fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return "the server did not start: " + (fatal or lines or [""])[-1].partition(":  ")[2]
