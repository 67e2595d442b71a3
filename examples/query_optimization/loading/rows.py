"""One line of flights.csv as one row of the table, or the reason why it is none."""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

COLUMNS = 19  # of the file
LONGEST = {9: 2, 11: 6, 12: 4, 13: 4}  # characters of airline, tail number, origin, destination
MOST = 32_767  # of minutes, miles and flight numbers: what two bytes hold


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
    """Yield the rows of a file with a header; what is no flight goes to `reject(line, reason)`.

    Whatever passes, the tables take: one line that is broken must not cost all the others.
    """
    # The file quotes nothing: a quotation mark that strays into it must not swallow lines until the next.
    reader = csv.reader(lines, quoting=csv.QUOTE_NONE)
    next(reader, None)
    while True:
        try:
            fields = next(reader)
            row = _row(fields)
        except StopIteration:
            return
        except (ValueError, csv.Error) as error:
            reject(reader.line_num, str(error))
        else:
            yield row


def _row(fields: list[str]) -> Row:
    if len(fields) != COLUMNS:
        raise ValueError(f"{len(fields)} fields instead of {COLUMNS}")
    if not (fields[9] and fields[12] and fields[13]):
        raise ValueError("no airline, origin or destination")
    for place, longest in LONGEST.items():
        _code(fields[place], longest)
    return Row(
        fields[9],
        _number(fields[10]),
        None if fields[11] in ("", "NA") else fields[11],
        fields[12],
        fields[13],
        _moment(fields[18], fields[17]),
        _minutes(fields[5]),
        _minutes(fields[8]),
        _minutes(fields[14]),
        _number(fields[15]),
    )


# A year of flights has few different codes, hours and numbers: each is checked once.
@lru_cache(8_192)
def _code(text: str, longest: int) -> None:
    if len(text) > longest or "\0" in text:
        raise ValueError(f"{text!r} is no code of at most {longest} characters")


@lru_cache(8_192)
def _is_hour(text: str) -> bool:
    return len(text) == 20 and text[13:] == ":00:00Z" and bool(datetime.fromisoformat(text))


@lru_cache(65_536)
def _moment(hour: str, minute: str) -> str:
    """Return a scheduled departure, from its hour in UTC (2013-01-01T10:00:00Z) and its minute."""
    if not (_is_hour(hour) and 0 <= int(minute) < 60):
        raise ValueError(f"no time of departure: {hour!r} and {minute} minutes")
    return f"{hour[:13]}:{int(minute):02}Z"


@lru_cache(8_192)
def _minutes(text: str) -> str | None:
    return None if text == "NA" else _number(text)


@lru_cache(8_192)
def _number(text: str) -> str:
    if not -MOST <= (number := int(text)) <= MOST:
        raise ValueError(f"{text} is more than {MOST:,}")
    return str(number)
