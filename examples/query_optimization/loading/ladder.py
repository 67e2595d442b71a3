"""Ways to insert the same rows, measured one after the other in one process.

They write into a temporary table of the same name without indexes: what differs is the way alone.
"""

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import connection, transaction
from flights.models import Flight

from . import files
from .ways import FIELDS, Row, exported, loading


def rows_per_second(way: str, rows: int) -> float:
    """Insert rows that are already parsed; the best of three, since others use this machine, too."""
    ready = list(_source(rows))
    best = 0.0
    for _ in range(3):
        with _scratch_table():
            started = time.perf_counter()
            loading(way)(ready)
            seconds = time.perf_counter() - started
            if (found := Flight.objects.count()) != rows:
                sys.exit(f"{found:,} of {rows:,} rows are there after loading them.")
        best = max(best, rows / seconds)
    return best


def peak_bytes(way: str, rows: int) -> int:
    """Insert rows as they are read; return the most memory that Python held meanwhile."""
    with _scratch_table():
        return _peak(lambda: loading(way)(_source(rows)))


def export_peak_bytes(way: str, rows: int) -> int:
    """Export rows and throw them away; return the most memory that Python held meanwhile."""

    def export() -> None:
        for _ in exported(way, rows):
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
