"""Three ways to insert the same rows, measured one after the other in one process.

They write into a temporary table of the same name without indexes: what differs is the way alone.
"""

import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice

from django.db import connection, transaction
from flights.models import Flight

from . import files
from .copy import copy_rows
from .export import stream

# Columns of the table, and what stands in them of a line of the file.
FIELDS = {
    "airline_id": "carrier",
    "number": "flight",
    "plane_id": "tailnum",
    "origin_id": "origin",
    "destination_id": "dest",
    "departure_delay": "dep_delay",
    "arrival_delay": "arr_delay",
    "air_minutes": "air_time",
    "distance_miles": "distance",
    "scheduled_departure": "time_hour",
}

type Row = list[str | None]


def create(rows: Iterable[Row]) -> None:
    """One statement for each row, sent and awaited."""
    for row in rows:
        Flight.objects.create(**dict(zip(FIELDS, row, strict=True)))


def bulk_create(rows: Iterable[Row]) -> None:
    """One statement for a thousand rows; all objects exist at once, whatever the batch."""
    flights = (Flight(**dict(zip(FIELDS, row, strict=True))) for row in rows)
    Flight.objects.bulk_create(flights, batch_size=1_000)


def copy(rows: Iterable[Row]) -> None:
    """No statement at all: a stream of lines."""
    with connection.cursor() as cursor:
        copy_rows(cursor.cursor, "flights_flight", tuple(FIELDS), rows)


WAYS: Mapping[str, Callable[[Iterable[Row]], None]] = {
    "create": create,
    "bulk_create": bulk_create,
    "copy": copy,
}


def rows_per_second(way: str, rows: int) -> float:
    """Insert rows that are already parsed; the best of three, since others use this machine, too."""
    ready = list(_source(rows))
    best = 0.0
    for _ in range(3):
        with _scratch_table():
            started = time.perf_counter()
            WAYS[way](ready)
            best = max(best, len(ready) / (time.perf_counter() - started))
    return best


def peak_bytes(way: str, rows: int) -> int:
    """Insert rows as they are read; return the most memory that Python held meanwhile."""
    with _scratch_table():
        return _peak(lambda: WAYS[way](_source(rows)))


def export_peak_bytes(way: str, rows: int) -> int:
    """Export rows and throw them away; return the most memory that Python held meanwhile."""

    def export() -> None:
        flights = Flight.objects.order_by("id")[:rows]
        for _ in stream(connection, rows) if way == "copy" else list(flights):
            pass

    return _peak(export)


def _peak(work: Callable[[], None]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _source(rows: int) -> Iterator[Row]:
    for line in islice(files.records("flights"), rows):
        yield [None if line[field] == "NA" else line[field] for field in FIELDS.values()]


@contextmanager
def _scratch_table() -> Iterator[None]:
    """Shadow the table within a transaction that is rolled back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE flights_flight (LIKE public.flights_flight INCLUDING IDENTITY)"
            " ON COMMIT DROP"
        )
        yield
        transaction.set_rollback(True)
