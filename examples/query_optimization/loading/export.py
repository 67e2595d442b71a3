"""All flights as CSV: a stream of blocks, or a list of objects first."""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flights.models import Flight

SQL = Path(__file__).with_name("export.sql").read_text("utf-8")
HEADER = ("id", "flight", "scheduled_departure", "origin", "destination", "departure_delay")


def stream(connection: Any, rows: int) -> Iterator[bytes]:
    """Return blocks of CSV as the server sends them; at no time is there more than one of them.

    The connection is taken at once, and is in use until the last block is read.
    """
    return _blocks(connection.cursor(), rows)


def _blocks(wrapped: Any, rows: int) -> Iterator[bytes]:
    with closing(wrapped), wrapped.cursor.copy(SQL, [rows]) as copy:
        for block in copy:
            yield bytes(block)


def as_lines(flights: Iterable["Flight"]) -> Iterator[bytes]:
    """Return the same, line by line, of flights that are objects already."""
    yield _line(HEADER)
    for flight in flights:
        yield _line(
            (
                flight.pk,
                f"{flight.airline_id} {flight.number}",
                flight.scheduled_departure.strftime("%Y-%m-%dT%H:%MZ"),
                flight.origin_id,
                flight.destination_id,
                flight.departure_delay,
            )
        )


def _line(fields: Iterable[object]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue().encode()
