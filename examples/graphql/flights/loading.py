"""Fill the empty tables: flights from the files beside this module by COPY, bookings that are made up."""

import lzma
from itertools import islice
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data")
MADE = Path(__file__).with_name("bookings.sql")
COPY = "COPY flights_{table} ({columns}) FROM STDIN (FORMAT csv)"
# Checked for each row they take longer than all the rest; made again, they are checked by one join each.
FOREIGN_KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'flights_flight'::regclass AND contype = 'f'
"""


def load(cursor: Any, most: int | None = None) -> int:
    """Load all flights, or the first; return how many were loaded: none, if there are some already."""
    cursor.execute("SELECT EXISTS (SELECT FROM flights_flight)")
    if cursor.fetchone() == (True,):
        return 0
    _copy(cursor, "airline", (DATA / "airlines.csv").read_text("utf-8"))
    _copy(cursor, "airport", (DATA / "airports.csv").read_text("utf-8"))
    cursor.execute(FOREIGN_KEYS)
    keys = cursor.fetchall()
    for name, _ in keys:
        cursor.execute(f'ALTER TABLE flights_flight DROP CONSTRAINT "{name}"')
    with lzma.open(DATA / "flights.csv.xz", "rt", encoding="utf-8") as lines:
        _copy(cursor, "flight", "".join(islice(lines, most and most + 1)))
    for name, key in keys:
        cursor.execute(f'ALTER TABLE flights_flight ADD CONSTRAINT "{name}" {key}')
    cursor.execute(MADE.read_text("utf-8"))
    cursor.execute("SELECT count(*) FROM flights_flight")
    return int(cursor.fetchone()[0])


def _copy(cursor: Any, table: str, text: str) -> None:
    columns, rows = text.split("\n", 1)
    with cursor.cursor.copy(COPY.format(table=table, columns=columns)) as copy:
        copy.write(rows)
