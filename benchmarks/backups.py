"""Measures how long a restore takes at three sizes: of a dump, of one by two processes, and the solution's.

Other machines give other seconds; what holds is how they grow with the bookings, and their ratios.
`python benchmarks/backups.py` needs DATABASE_URL, POSTGRES_BIN and POSTGRES_FOLDER, and the example on
PYTHONPATH; `make bench` sees to it. It books in that database, and receives the log of that server.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from flights.configured import place as place_of
from flights.ways import nightly_dump, received
from flights.ways.nightly_dump import empty
from keep import log
from keep.base import retire
from keep.place import Place, Server, ask, wait_for
from outcome import Cell, Measured
from restore.server import draft

COLUMNS = ("kept by", "bookings", "kept, MB", "restore, s", "times the solution's")
FEW, REAL, MANY = 10_000, 336_776, 1_000_000
SIZES = FEW, REAL, MANY
SINCE = 1_000  # of them are younger than the base backup: the solution replays their log
TIMES = 3
BOOK = """
SET session_replication_role = replica;
INSERT INTO flights_booking (reference, payer_id, payee_id, cents)
SELECT 'b' || n, n % 100 + 1, (n + 1) % 100 + 1, n % 997 + 1
FROM (SELECT generate_series({} + 1, {}) AS n) AS numbers
"""
COUNT = "SELECT count(*) FROM flights_booking"
SOLUTION = "received"


class Parallel:
    """A dump that two processes restore."""

    @staticmethod
    def keep(place: Place) -> None:
        place.run("pg_dump", "--format=custom", "--file", place.folder / "dump")

    @staticmethod
    @contextmanager
    def restored(place: Place, folder: Path, _until: str) -> Iterator[Server]:
        with empty(place, folder) as server:
            into = "--jobs=2", "--dbname", server["dbname"]
            place.run("pg_restore", *into, place.folder / "dump", server=server)
            yield server


type Found = dict[tuple[str, int], tuple[int, float]]  # (way, bookings) -> bytes kept, seconds

WAYS: Mapping[str, Any] = {
    "nightly_dump": nightly_dump,
    "parallel_dump": Parallel,
    SOLUTION: received,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure restores at three sizes.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    if "POSTGRES_FOLDER" not in os.environ:
        raise SystemExit("POSTGRES_FOLDER is not set: the benchmark runs on the embedded stack.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    call_command("prepare")
    places = {name: place_of(name) for name in WAYS}
    whole = Place(settings.POSTGRES_FOLDER, settings.POSTGRES_BIN, settings.SERVER)
    for place in places.values():
        whole.run("mkdir", place.folder)
    log.reserve(places[SOLUTION])
    with receiving(places[SOLUTION]):
        found = run(places)
    measured = Measured(COLUMNS, [*table(found)], [*goals(found)])
    for row in (COLUMNS, *measured.rows):
        print("".join(f"{cell!s:>21}" for cell in row))
    for met, goal in measured.goals:
        print("met   " if met else "MISSED", goal)
    if output:
        [[server]] = whole.sql("SHOW server_version")
        versions = {
            "python": platform.python_version(),
            "postgresql": server.split()[0],
            "psycopg": version("psycopg"),
        }
        measured.write(output, versions)
    return 0


@contextmanager
def receiving(place: Place) -> Iterator[None]:
    receiver = place.start(place.folder / "receiver.txt", *log.receiver(place))
    try:
        wait_for(lambda: log.is_received(place), 60, "the log does not come")
        yield
    finally:
        receiver.terminate()
        receiver.wait()


def run(places: Mapping[str, Place]) -> Found:
    """Measure each way at each size."""
    found: Found = {}
    booked = 0
    for bookings in SIZES:
        print(f"measuring at {bookings:,} bookings …", file=sys.stderr)
        solution = places[SOLUTION]
        solution.sql(BOOK.format(booked, bookings - SINCE))
        received.keep(solution)
        retire(solution, 1)
        solution.sql(BOOK.format(bookings - SINCE, bookings))
        booked = bookings
        for name, place in places.items():
            if name != SOLUTION:
                WAYS[name].keep(place)
            took = median(seconds(place, WAYS[name], bookings) for _ in range(TIMES))
            found[name, bookings] = kept(place), took
    return found


def seconds(place: Place, way: Any, bookings: int) -> float:
    """Return how long it takes until a restored server answers, with all bookings."""
    began = time.monotonic()
    with draft(place, place.folder / "back") as folder, way.restored(place, folder, "") as server:
        [[count]] = ask(server, COUNT)
        took = time.monotonic() - began
    if count != bookings:
        raise SystemExit(f"{count:,} of {bookings:,} bookings came back")
    return took


def kept(place: Place) -> int:
    """Return how many bytes lie in the place."""
    return int(place.run("du", "-sb", place.folder).split()[0])


def table(found: Found) -> Iterator[list[Cell]]:
    """Yield a row for each way and size."""
    for name in WAYS:
        for bookings in SIZES:
            there, took = found[name, bookings]
            times = took / found[SOLUTION, bookings][1]
            yield [name, bookings, round(there / 1e6, 1), round(took, 2), round(times, 1)]


def goals(found: Found) -> Iterator[tuple[bool, str]]:
    """Yield the goals of this example, each with whether this run met it."""
    grown = found[SOLUTION, MANY][1] / found[SOLUTION, FEW][1]
    yield grown <= 4, f"{SOLUTION}: a hundred times the bookings in <= 4 x the time: {grown:.1f}"
    for name in WAYS:
        if name != SOLUTION:
            times = found[name, MANY][1] / found[SOLUTION, MANY][1]
            yield times >= 2, f"{name}: >= 2 x the time of {SOLUTION} at {MANY:,}: {times:.1f}"


if __name__ == "__main__":
    sys.exit(main())
