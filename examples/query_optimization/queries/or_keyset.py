"""Keyset pagination as it is usually written: the comparison of two columns spelt out with OR."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from flights.models import Flight

from . import naive
from .keyset import Cursor, keyset_page
from .naive import (
    airline,
    airports,
    board,
    count,
    delays,
    departed,
    export,
    planes,
    report,
    viewed,
    views,
    year,
)
from .orderings import ORDERINGS, Ordering, at
from .shapes import Page

__all__ = [
    "DATABASE",
    "airline",
    "airports",
    "board",
    "count",
    "delays",
    "departed",
    "export",
    "pages",
    "planes",
    "report",
    "viewed",
    "views",
    "year",
]

DATABASE = naive.DATABASE


def spelt_out(cursor: Cursor, ordering: Ordering) -> Q:
    """Return the same rows as a row comparison: an OR, of which no index condition can be made."""
    word, key = "gt" if cursor.backwards else "lt", ordering.value(cursor.key)
    return Q(**{f"key__{word}": key}) | Q(**{"key": key, f"id__{word}": cursor.id})


def pages(
    size: int,
    order: str = "newest",
    cursor: Cursor | None = None,
    before: datetime | None = None,
    **_: Any,
) -> Page:
    position = cursor or (at(before) if before else None)
    return keyset_page(Flight.objects.all(), ORDERINGS[order], size, position, spelt_out)
