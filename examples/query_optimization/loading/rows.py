"""One line of flights.csv as one row of the table, or the reason why it is none."""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

COLUMNS = 19  # of the file


class Row(NamedTuple):
    """A flight as COPY sends it; minutes and miles are still text, None is null."""

    airline: str
    number: str
    plane: str | None
    origin: str
    destination: str
    scheduled_departure: str  # UTC
    departure_delay: str | None
    arrival_delay: str | None
    air_minutes: str | None
    distance_miles: str


type Reject = Callable[[int, str], None]


def parsed(lines: Iterable[str], reject: Reject) -> Iterator[Row]:
    """Yield the rows of a file with a header; what is no flight goes to `reject(line, reason)`."""
    reader = csv.reader(lines)
    next(reader, None)
    for fields in reader:
        try:
            row = _row(fields)
        except ValueError as error:
            reject(reader.line_num, str(error))
        else:
            yield row


def _row(fields: list[str]) -> Row:
    if len(fields) != COLUMNS:
        raise ValueError(f"{len(fields)} fields instead of {COLUMNS}")
    number, distance, minute = int(fields[10]), int(fields[15]), int(fields[17])
    hour = fields[18]  # of the scheduled departure, in UTC: 2013-01-01T10:00:00Z
    if not (len(hour) == 20 and hour[13:] == ":00:00Z" and 0 <= minute < 60):
        raise ValueError(f"no time of departure: {hour!r} and {minute} minutes")
    if not (fields[9] and fields[12] and fields[13]):
        raise ValueError("no airline, origin or destination")
    return Row(
        fields[9],
        str(number),
        None if fields[11] in ("", "NA") else fields[11],
        fields[12],
        fields[13],
        f"{hour[:13]}:{minute:02}Z",
        _minutes(fields[5]),
        _minutes(fields[8]),
        _minutes(fields[14]),
        str(distance),
    )


def _minutes(text: str) -> str | None:
    return None if text == "NA" else str(int(text))
