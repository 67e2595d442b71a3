"""The orders in which all flights are paged, each that of an index, backwards as well as forwards."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce
from queries.keyset import Cursor, Ordering

from .models import NEVER_LEFT, Flight

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def since_epoch(moment: datetime) -> int:
    """Return microseconds, the resolution of the column: a coarser cursor would skip rows."""
    return (moment - EPOCH) // MICROSECOND


def begun(position: Mapping[str, Any]) -> Cursor | None:
    """Return where a page begins: at a cursor, or before the newest flight at or before a moment."""
    if moment := position.get("before"):
        return Cursor(since_epoch(moment), None)
    cursor: Cursor | None = position.get("cursor")
    return cursor


NEWEST = Ordering[Flight](
    "newest",
    F("scheduled_departure"),
    lambda flight: since_epoch(flight.scheduled_departure),
    lambda key: EPOCH + key * MICROSECOND,
)
# Every comparison with NULL is NULL, and its row on no page: cancelled flights get a key below all.
MOST_DELAYED = Ordering[Flight](
    "delay",
    Coalesce("departure_delay", NEVER_LEFT),
    lambda flight: NEVER_LEFT if flight.departure_delay is None else flight.departure_delay,
    lambda key: key,
)
ORDERINGS: Mapping[str, Ordering[Flight]] = {each.name: each for each in (NEWEST, MOST_DELAYED)}
