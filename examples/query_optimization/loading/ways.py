"""Ways to insert the rows of a file, and to read them again for an export; one may be the reader's own."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import connection
from flights.models import Flight

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
type Load = Callable[[Iterable[Row]], None]


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


WAYS: Mapping[str, Load] = {"create": create, "bulk_create": bulk_create, "copy": copy}
MINE = "mine"  # `load` and `export` of the reader's own queries


def loading(way: str) -> Load:
    load: Load = _own().load if way == MINE else WAYS[way]
    return load


def exported(way: str, rows: int) -> Iterable[Any]:
    """Return the first `rows` flights in whatever form `way` exports them."""
    if way == MINE:
        found: Iterable[Any] = _own().export(rows)
        return found
    return stream(connection, rows) if way == "copy" else list(Flight.objects.order_by("id")[:rows])


def _own() -> Any:
    # Not with the imports above: the reader's file may import this one.
    return import_module(settings.MINE).QUERIES
