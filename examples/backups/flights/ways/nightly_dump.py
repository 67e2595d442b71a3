"""What everybody has: `pg_dump | gzip` from cron, and no news is good news."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keep.place import Failed, Place, Server
from restore.proof import Report
from restore.server import served

from . import at_once, no_programs, nothing

DUMP = 'pg_dump | gzip > "$0"'
LOAD = 'gunzip < "$0" | psql --quiet'


begin, processes, ready = nothing, no_programs, at_once


def keep(place: Place) -> None:
    place.run("rm", "-f", place.folder / "exit_status_0")
    place.run("sh", "-c", DUMP, place.folder / "dump.sql.gz")
    place.run("touch", place.folder / "exit_status_0")


def check(place: Place) -> Report:
    """Believe the exit status."""
    good = (place.folder / "exit_status_0").exists()
    return Report(good, "the dump ended with exit status 0" if good else "there is no dump")


@contextmanager
def restored(place: Place, folder: Path, until: str) -> Iterator[Server]:  # noqa: ARG001 -- it has but one moment
    dump = place.folder / "dump.sql.gz"
    if not dump.exists():
        raise Failed(f"{place.folder} holds no dump")
    with empty(place, folder) as server:
        place.run("sh", "-c", LOAD, dump, server=server)
        yield server


@contextmanager
def empty(place: Place, folder: Path) -> Iterator[Server]:
    """Yield a new server with an empty database of the same name."""
    name, user = place.server["dbname"], place.server["user"]
    place.run("initdb", "--no-sync", "--encoding=UTF8", "--username", user, "--pgdata", folder)
    with served(place, folder) as server:
        if name != "postgres":
            place.run("createdb", name, server={**server, "dbname": "postgres"})
        yield server
