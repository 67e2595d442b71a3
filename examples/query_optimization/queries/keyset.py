"""Pages by position instead of number: a page begins where the last row of the one before it stood.

Markus Winand, "We need tool support for keyset pagination" (use-the-index-luke.com/no-offset).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.core import signing
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.fields import tuple_lookups

COMPARISONS = {
    (False, False): tuple_lookups.TupleLessThan,
    (False, True): tuple_lookups.TupleLessThanOrEqual,
    (True, False): tuple_lookups.TupleGreaterThan,
    (True, True): tuple_lookups.TupleGreaterThanOrEqual,
}


class BadCursor(ValueError):
    """A cursor that this service has not made, or made for another ordering."""


@dataclass(frozen=True, slots=True)
class Ordering[Row: Model]:
    """A total order of rows, the greatest key first, and for ties the greatest primary key.

    Attributes:
        key: what the database compares; an expression that is never null.
        of: the key of a row as a cursor holds it, as JSON does.
        value: the key of a cursor as the database compares it.
    """

    name: str
    key: Combinable
    of: Callable[[Row], int | str]
    value: Callable[[Any], Any]

    @property
    def salt(self) -> str:
        """What a cursor is signed with: that of one order is none of another."""
        return f"keyset:{self.name}"

    def link(self, cursor: Cursor) -> str:
        return f"order={self.name}&cursor={cursor.signed(self)}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position between two rows: the next page begins after (key, pk), or ends before it.

    Attributes:
        key: of the ordering, as it is written down.
        pk: as text; None: beside all rows of that key.
        backwards: whether the page before the position is wanted.
        inclusive: whether the row that stood there belongs to the page.
    """

    key: int | str
    pk: str | None
    backwards: bool = False
    inclusive: bool = False

    def signed(self, ordering: Ordering[Any]) -> str:
        fields = [self.key, self.pk, int(self.backwards), int(self.inclusive)]
        return signing.dumps(fields, salt=ordering.salt)

    @classmethod
    def read(cls, text: str, ordering: Ordering[Any]) -> Self:
        """Return the cursor that `signed` made.

        Raises:
            BadCursor: it was tampered with, or is of another ordering or another release.
        """
        try:
            key, pk, backwards, inclusive = signing.loads(text, salt=ordering.salt)
            ordering.value(key)  # an earlier release may have written it down otherwise
        except (signing.BadSignature, ArithmeticError, TypeError, ValueError):
            raise BadCursor("cursor: not one of this list in this order") from None
        return cls(key, pk, bool(backwards), bool(inclusive))

    def turned(self) -> Cursor:
        """Return the same position for the other direction, with the row that stood there."""
        return replace(self, backwards=not self.backwards, inclusive=True)


@dataclass(frozen=True, slots=True)
class Page[Row: Model]:
    """Some rows, and the query strings of the pages around them."""

    rows: Sequence[Row]
    following: str | None
    previous: str | None


def beyond(cursor: Cursor, ordering: Ordering[Any]) -> Q:
    """Compare key and primary key as one row, which an index on both turns into one descent."""
    compare = COMPARISONS[cursor.backwards, cursor.inclusive]
    key = ordering.value(cursor.key)
    if cursor.pk is None:
        return Q(**{f"keyset_key__{'gte' if cursor.backwards else 'lte'}": key})
    return Q(compare(tuple_lookups.Tuple(F("keyset_key"), F("pk")), (key, cursor.pk)))


def keyset_page[Row: Model](
    rows: QuerySet[Row],
    ordering: Ordering[Row],
    size: int,
    cursor: Cursor | None,
    beyond: Callable[[Cursor, Ordering[Row]], Q] = beyond,
) -> Page[Row]:
    """Return `size` rows, the greatest key first, and the positions of the pages around them."""
    backwards = cursor is not None and cursor.backwards
    ordered = rows.alias(keyset_key=ordering.key).order_by(
        *(("keyset_key", "pk") if backwards else ("-keyset_key", "-pk"))
    )
    if cursor:
        ordered = ordered.filter(beyond(cursor, ordering))
    found = list(ordered[: size + 1])  # one more tells whether there is a page after this one
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    after, before = (True, more) if backwards else (more, cursor is not None)
    ends = [Cursor(ordering.of(each), str(each.pk)) for each in found[-1:] + found[:1]]
    if cursor and not found:  # all rows beyond it are gone: the way back is what is left
        ends, after, before = [cursor.turned()] * 2, backwards, not backwards
    elif ends:
        ends[1] = replace(ends[1], backwards=True)
    return Page(
        found,
        following=ordering.link(ends[0]) if ends and after else None,
        previous=ordering.link(ends[1]) if ends and before else None,
    )
