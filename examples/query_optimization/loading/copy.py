"""COPY: the way into PostgreSQL that has no statement per row and no list of objects.

PostgreSQL manual, COPY and section 14.4, Populating a Database.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import Cursor, sql

COPY = "COPY {} ({}) FROM STDIN"
# Columns of the table of flights, and what stands in them of a line of the file.
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
type Row = Sequence[str | None]


def copy_flights(rows: Iterable[Row]) -> None:
    """Append flights, each a row in the order of `FIELDS`."""
    with connection.cursor() as cursor:
        copy_rows(cursor.cursor, "flights_flight", tuple(FIELDS), rows)


def copy_rows(
    cursor: Cursor[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append `rows`, in the order of `columns`, to `table`; None is null.

    Rows are sent as they come; memory does not grow with their number. A row that does not fit ends
    the whole command, and the transaction with it.
    """
    with cursor.copy(_command(COPY, table, columns)) as copy:
        for row in rows:
            copy.write_row(row)


def copy_file(
    cursor: Cursor[Any], table: str, columns: Sequence[str], blocks: Iterable[bytes]
) -> None:
    """Append the lines of a CSV file with a header to `table`; NA is null. The server reads them itself."""
    with cursor.copy(_command(f"{COPY} (FORMAT csv, HEADER, NULL 'NA')", table, columns)) as copy:
        for block in blocks:
            copy.write(block)


def _command(form: str, table: str, columns: Sequence[str]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL(form).format(sql.Identifier(table), names)
