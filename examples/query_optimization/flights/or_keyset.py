"""Keyset pagination as it is usually written: the comparison of two columns spelt out with OR."""

from typing import Any

from django.db.models import Q
from queries.keyset import Cursor, Ordering, Page, keyset_page

from .models import Flight
from .naive import Naive
from .orderings import ORDERINGS, begun


def spelt_out(cursor: Cursor, ordering: Ordering[Any]) -> Q:
    """Return the same rows as a row comparison: an OR, of which no index condition can be made."""
    word, key = "gt" if cursor.backwards else "lt", ordering.value(cursor.key)
    if cursor.pk is None:
        return Q(**{f"keyset_key__{word}e": key})
    ties = f"pk__{word}e" if cursor.inclusive else f"pk__{word}"
    return Q(**{f"keyset_key__{word}": key}) | Q(**{"keyset_key": key, ties: cursor.pk})


class OrKeyset(Naive):
    def pages(self, size: int, order: str = "newest", **position: Any) -> Page[Flight]:
        return keyset_page(self.flights(), ORDERINGS[order], size, begun(position), spelt_out)
