"""The orders in which all flights are paged: each a key that is never null and, for ties, the id.

Each is the order of an index, backwards as well as forwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from flights.models import NEVER_LEFT, Flight

from .keyset import LAST_ID, Cursor

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order of flights, the greatest key first.

    Attributes:
        key: what the database compares; an expression that is never null.
        of: the key of a flight as a cursor holds it.
        value: the key of a cursor as the database compares it.
    """

    name: str
    key: Combinable
    of: Callable[[Flight], int]
    value: Callable[[int], Any]

    @property
    def salt(self) -> str:
        """What a cursor is signed with: that of one order is none of another."""
        return f"flights:{self.name}"

    def link(self, cursor: Cursor, *, backwards: bool) -> str:
        signed = replace(cursor, backwards=backwards).signed(self)
        return f"order={self.name}&cursor={signed}"


def since_epoch(moment: datetime) -> int:
    """Return microseconds, the resolution of the column: a coarser cursor would skip rows."""
    return (moment - EPOCH) // MICROSECOND


def at(moment: datetime) -> Cursor:
    """Return the position before the newest flight at or before `moment`."""
    return Cursor(since_epoch(moment), LAST_ID)


NEWEST = Ordering(
    "newest",
    F("scheduled_departure"),
    lambda flight: since_epoch(flight.scheduled_departure),
    lambda key: EPOCH + key * MICROSECOND,
)
# Every comparison with NULL is NULL, and its row on no page: cancelled flights get a key below all.
MOST_DELAYED = Ordering(
    "delay",
    Coalesce("departure_delay", NEVER_LEFT),
    lambda flight: NEVER_LEFT if flight.departure_delay is None else flight.departure_delay,
    lambda key: key,
)
ORDERINGS: Mapping[str, Ordering] = {each.name: each for each in (NEWEST, MOST_DELAYED)}
