"""Pages by position instead of number: a page begins where the last row of the one before it stood.

Markus Winand, "We need tool support for keyset pagination" (use-the-index-luke.com/no-offset).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from flights.models import Flight

from .shapes import Page

ORDER = ("-scheduled_departure", "-id")
SALT = "flights:" + ",".join(ORDER)  # a cursor of another ordering has another signature
LAST_ID = 2**63 - 1


class BadCursor(ValueError):
    """A cursor that this service has not made, or made for another ordering."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position between two rows: the next page begins after (time, id), or ends before it.

    Attributes:
        backwards: whether the page before the position is wanted.
    """

    time: datetime
    id: int
    backwards: bool = False

    @classmethod
    def at(cls, time: datetime) -> Self:
        """Return the position before the first flight at or before `time`."""
        return cls(time, LAST_ID)

    def signed(self) -> str:
        parts = [int(self.time.timestamp()), self.id, int(self.backwards)]
        return signing.dumps(parts, salt=SALT)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the cursor that `signed` made.

        Raises:
            BadCursor: it was tampered with, or is of another ordering.
        """
        try:
            seconds, key, backwards = signing.loads(text, salt=SALT)
        except signing.BadSignature:
            raise BadCursor("cursor: not one of this list") from None
        return cls(datetime.fromtimestamp(seconds, UTC), key, bool(backwards))


def beyond(cursor: Cursor) -> Q:
    """Compare both columns as one row, which an index on both turns into one descent."""
    compare = TupleGreaterThan if cursor.backwards else TupleLessThan
    return Q(compare(Tuple(F("scheduled_departure"), F("id")), (cursor.time, cursor.id)))


def keyset_page(
    flights: QuerySet[Flight],
    size: int,
    cursor: Cursor | None,
    beyond: Callable[[Cursor], Q] = beyond,
) -> Page:
    """Return `size` flights, newest first, and the positions of the pages around them."""
    backwards = cursor is not None and cursor.backwards
    ordered = (
        flights.order_by("scheduled_departure", "id") if backwards else flights.order_by(*ORDER)
    )
    if cursor:
        ordered = ordered.filter(beyond(cursor))
    found = list(ordered[: size + 1])  # one more tells whether there is a page after this one
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    after, before = (True, more) if backwards else (more, cursor is not None)
    return Page(
        found,
        following=_link(found[-1], backwards=False) if found and after else None,
        previous=_link(found[0], backwards=True) if found and before else None,
    )


def _link(flight: Flight, *, backwards: bool) -> str:
    return f"cursor={Cursor(flight.scheduled_departure, flight.pk, backwards).signed()}"
