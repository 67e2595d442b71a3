"""Pages by position instead of number: a page begins where the last row of the one before it stood.

Markus Winand, "We need tool support for keyset pagination" (use-the-index-luke.com/no-offset).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from .shapes import Page

if TYPE_CHECKING:
    from flights.models import Flight

    from .orderings import Ordering

LAST_ID = 2**63 - 2


class BadCursor(ValueError):
    """A cursor that this service has not made, or made for another ordering."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position between two rows: the next page begins after (key, id), or ends before it.

    Attributes:
        key: of the ordering, as a number.
        backwards: whether the page before the position is wanted.
    """

    key: int
    id: int
    backwards: bool = False

    def signed(self, ordering: Ordering) -> str:
        return signing.dumps([self.key, self.id, int(self.backwards)], salt=ordering.salt)

    @classmethod
    def read(cls, text: str, ordering: Ordering) -> Self:
        """Return the cursor that `signed` made.

        Raises:
            BadCursor: it was tampered with, or is of another ordering.
        """
        try:
            key, row, backwards = signing.loads(text, salt=ordering.salt)
        except signing.BadSignature:
            raise BadCursor("cursor: not one of this list in this order") from None
        return cls(key, row, bool(backwards))

    def turned(self) -> Cursor:
        """Return the same position for the other direction, with the row that stood there."""
        return Cursor(self.key, self.id + (1 if self.backwards else -1), not self.backwards)


def beyond(cursor: Cursor, ordering: Ordering) -> Q:
    """Compare key and id as one row, which an index on both turns into one descent."""
    compare = TupleGreaterThan if cursor.backwards else TupleLessThan
    return Q(compare(Tuple(F("key"), F("id")), (ordering.value(cursor.key), cursor.id)))


def keyset_page(
    flights: QuerySet[Flight],
    ordering: Ordering,
    size: int,
    cursor: Cursor | None,
    beyond: Callable[[Cursor, Ordering], Q] = beyond,
) -> Page:
    """Return `size` flights, the greatest key first, and the positions of the pages around them."""
    backwards = cursor is not None and cursor.backwards
    ordered = flights.alias(key=ordering.key).order_by(
        *(("key", "id") if backwards else ("-key", "-id"))
    )
    if cursor:
        ordered = ordered.filter(beyond(cursor, ordering))
    found = list(ordered[: size + 1])  # one more tells whether there is a page after this one
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    after, before = (True, more) if backwards else (more, cursor is not None)
    ends = [Cursor(ordering.of(each), each.pk) for each in found[-1:] + found[:1]]
    if cursor and not found:  # all rows beyond it are gone: the way back is what is left
        ends, after, before = [cursor.turned()] * 2, backwards, not backwards
    return Page(
        found,
        following=ordering.link(ends[0], backwards=False) if ends and after else None,
        previous=ordering.link(ends[1], backwards=True) if ends and before else None,
    )
