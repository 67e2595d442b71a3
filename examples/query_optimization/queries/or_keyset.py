"""Keyset pagination as it is usually written: the comparison of two columns spelt out with OR."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from flights.models import Flight

from . import naive
from .keyset import Cursor, keyset_page
from .naive import airports, board, delays, planes, report
from .shapes import Page

__all__ = ["DATABASE", "airports", "board", "delays", "pages", "planes", "report"]

DATABASE = naive.DATABASE


def spelt_out(cursor: Cursor) -> Q:
    """Return the same rows as a row comparison: an OR, of which no index condition can be made."""
    word = "gt" if cursor.backwards else "lt"
    return Q(**{f"scheduled_departure__{word}": cursor.time}) | Q(
        **{"scheduled_departure": cursor.time, f"id__{word}": cursor.id}
    )


def pages(
    size: int, cursor: Cursor | None = None, before: datetime | None = None, **_: Any
) -> Page:
    position = cursor or (Cursor.at(before) if before else None)
    return keyset_page(Flight.objects.all(), size, position, spelt_out)
