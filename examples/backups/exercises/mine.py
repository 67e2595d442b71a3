"""Your own way to keep the bookings. It begins as `nightly_dump`: pg_dump through gzip, and its exit status.

Win `back-to-the-minute-before` first, with a base backup and the log since then; then let `check` restore.
All of `keep/` and `restore/` is at hand; `place.run` runs PostgreSQL's programs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flights.ways.nightly_dump import empty
from keep.place import Place, Server


def begin(_place: Place) -> None:
    """Set the live server up; the folder of the place is empty, and yours."""


def processes(_place: Place) -> Sequence[tuple[object, ...]]:
    return ()  # what has to run all the time, such as pg_receivewal


def ready(_place: Place) -> bool:
    return True  # whether that does its work


def keep(place: Place) -> None:
    place.run("sh", "-c", 'pg_dump | gzip > "$0"', place.folder / "dump.gz")


def check(_place: Place) -> str:
    return "the exit status was 0"  # raise keep.place.Failed where the backup is not good


@contextmanager
def restored(place: Place, folder: Path, _until: str) -> Iterator[Server]:
    with empty(place, folder) as server:
        place.run("sh", "-c", 'gunzip < "$0" | psql -q', place.folder / "dump.gz", server=server)
        yield server
