"""What everybody has: `pg_dump | gzip` from cron, and no news is good news."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keep.place import Place, Server
from restore.server import served

from . import at_once, no_programs, nothing

DUMP = 'cd "$0" && rm -f exit_status_0 && pg_dump | gzip > dump.sql.gz && touch exit_status_0'
LOAD = 'gunzip < "$0" | psql --quiet'


begin, processes, ready = nothing, no_programs, at_once


def keep(place: Place) -> None:
    place.run("sh", "-c", DUMP, place.folder)


def check(place: Place) -> str:
    """Believe the exit status."""
    return place.run("ls", place.folder / "exit_status_0")


@contextmanager
def restored(place: Place, folder: Path, until: str) -> Iterator[Server]:  # noqa: ARG001 -- it has but one moment
    with empty(place, folder) as server:
        place.run("sh", "-c", LOAD, place.folder / "dump.sql.gz", server=server)
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
