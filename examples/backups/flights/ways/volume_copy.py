"""A copy of the data folder of the running server, as tools for volumes make it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keep.place import Place, Server
from restore.server import served

from . import at_once, no_programs, nothing

# That files come and go meanwhile is usual, and no reason to stop.
COPY = 'rm -rf "$1" && mkdir -m 700 "$1" && { cp -a "$0"/* "$1"; rm -f "$1"/postmaster.pid; }'


begin, processes, ready = nothing, no_programs, at_once


def keep(place: Place) -> None:
    [[data]] = place.sql("SHOW data_directory")
    place.run("sh", "-c", COPY, data, place.folder / "copy")


def check(place: Place) -> str:
    """Look whether it is there."""
    return place.run("ls", place.folder / "copy" / "PG_VERSION")


@contextmanager
def restored(place: Place, folder: Path, until: str) -> Iterator[Server]:  # noqa: ARG001 -- it has one moment
    place.run("cp", "-aT", place.folder / "copy", folder)
    with served(place, folder) as server:
        yield server
