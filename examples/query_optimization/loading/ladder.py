"""Three ways to insert the same rows, measured one after the other in one process.

They write into a temporary table of the same name without indexes: what differs is the way alone.
"""

import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connection, transaction
from flights.models import Flight

from . import files
from .copy import copy_rows
from .export import as_lines, stream
from .rows import Row, parsed

COLUMNS = tuple(
    f"{name}_id" if name in ("airline", "plane", "origin", "destination") else name
    for name in Row._fields
)


def create(rows: Iterable[Row]) -> None:
    """One statement for each row, sent and awaited."""
    for row in rows:
        Flight.objects.create(**_fields(row))


def bulk_create(rows: Iterable[Row]) -> None:
    """One statement for a thousand rows; all objects exist at once, whatever the batch."""
    Flight.objects.bulk_create((Flight(**_fields(row)) for row in rows), batch_size=1_000)


def copy(rows: Iterable[Row]) -> None:
    """No statement at all: a stream of lines."""
    with connection.cursor() as cursor:
        copy_rows(cursor.cursor, "flights_flight", COLUMNS, rows)


WAYS: Mapping[str, Callable[[Iterable[Row]], None]] = {
    "create": create,
    "bulk_create": bulk_create,
    "copy": copy,
}


def rows_per_second(way: str, rows: int) -> float:
    """Insert rows that are already parsed; the best of three, since others use this machine, too."""
    with _source(rows) as source:
        ready = list(source)
    best = 0.0
    for _ in range(3):
        with _scratch_table():
            started = time.perf_counter()
            WAYS[way](ready)
            best = max(best, len(ready) / (time.perf_counter() - started))
    return best


def peak_bytes(way: str, rows: int) -> int:
    """Insert rows as they are read; return the most memory that Python held meanwhile."""
    with _scratch_table(), _source(rows) as source:
        tracemalloc.start()
        try:
            WAYS[way](source)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def export_peak_bytes(way: str, rows: int) -> int:
    """Export rows and throw them away; return the most memory that Python held meanwhile."""
    tracemalloc.start()
    try:
        if way == "copy":
            lines = stream(connection, rows)
        else:
            lines = as_lines(list(Flight.objects.order_by("id")[:rows]))
        for _ in lines:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _fields(row: Row) -> dict[str, Any]:
    return dict(zip(COLUMNS, row, strict=True))


@contextmanager
def _source(rows: int) -> Iterator[Iterator[Row]]:
    with files.flights_csv() as lines:
        yield islice(parsed(lines, lambda line, reason: None), rows)  # noqa: ARG005 -- its shape


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
