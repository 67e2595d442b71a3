"""Measure one way of loading and exporting: rows a second beside the other ways, memory at two sizes.

Run by `manage.py shell` in a process of the example, which finds its own modules. Rows go into a temporary
table of the same name without indexes: what differs is the way alone.
"""

import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import chain, islice
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from flights.models import Flight
from loading import files
from loading.copy import FIELDS, Row, copy_flights
from loading.export import stream

ROWS = {"create": 400, "bulk_create": 4_000, "copy": 40_000, "mine": 2_000}
EXPORTED = (2_000, 8_000)


def create(rows: Iterable[Row]) -> None:
    """One statement for each row, sent and awaited."""
    for row in rows:
        Flight.objects.create(**dict(zip(FIELDS, row, strict=True)))


def bulk_create(rows: Iterable[Row]) -> None:
    """One statement for a thousand rows; all objects exist at once, whatever the batch."""
    flights = (Flight(**dict(zip(FIELDS, row, strict=True))) for row in rows)
    Flight.objects.bulk_create(flights, batch_size=1_000)


def all_at_once(rows: int) -> Iterable[Any]:
    return list(Flight.objects.order_by("id")[:rows])


def copied(rows: int) -> Iterable[Any]:
    return stream(connection, rows)


# Each way to insert rows, and the one to read them again that goes with it.
WAYS: dict[str, tuple[Callable[[Iterable[Row]], None], Callable[[int], Iterable[Any]]]] = {
    "create": (create, all_at_once),
    "bulk_create": (bulk_create, all_at_once),
    "copy": (copy_flights, copied),
}
if settings.MINE:
    queries = import_module(settings.MINE).QUERIES
    WAYS["mine"] = (queries.load, queries.export)


def measured(way: str) -> str:
    others = {"create", "bulk_create"}  # what each is compared with
    speeds = {each: rows_per_second(each, ROWS[each]) for each in sorted(others | {way})}
    few, many = ROWS[way] // 4, ROWS[way]
    figures = {
        "rows_per_second": speeds,
        "peak_bytes": [peak_bytes(way, rows) for rows in (few, many)],
        "export_peak_bytes": [export_peak_bytes(way, rows) for rows in EXPORTED],
    }
    return json.dumps(figures)


def rows_per_second(way: str, rows: int) -> float:
    """Insert rows that are already parsed; the best of three, since others use this machine, too."""
    ready = list(source(rows))
    best = 0.0
    for _ in range(3):
        with scratch_table():
            started = time.perf_counter()
            WAYS[way][0](ready)
            seconds = time.perf_counter() - started
            if (found := Flight.objects.count()) != rows:
                sys.exit(f"{found:,} of {rows:,} rows are there after loading them.")
        best = max(best, rows / seconds)
    return best


def peak_bytes(way: str, rows: int) -> int:
    """Insert rows as they are read; return the most memory that Python held meanwhile."""
    lines = source(rows)
    # Its first line has the decompressor take 64 MB, beside which a list of all rows would not be seen.
    first = next(lines)
    with scratch_table():
        return peak(lambda: WAYS[way][0](chain([first], lines)))


def export_peak_bytes(way: str, rows: int) -> int:
    """Export rows and throw them away; return the most memory that Python held meanwhile."""

    def export() -> None:
        for _ in WAYS[way][1](rows):
            pass

    return peak(export)


def peak(work: Callable[[], None]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def source(rows: int) -> Iterator[Row]:
    for line in islice(files.records("flights"), rows):
        yield [None if line[field] == "NA" else line[field] for field in FIELDS.values()]


@contextmanager
def scratch_table() -> Iterator[None]:
    """Shadow the table within a transaction that is rolled back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE flights_flight (LIKE public.flights_flight INCLUDING IDENTITY)"
            " ON COMMIT DROP"
        )
        yield
        transaction.set_rollback(True)
