"""Fetch modes of Django 6.1: the first access to a relation loads it for all objects of the same list.

Django documentation 6.1, Fetch modes. They know foreign keys and deferred fields, not reverse sets.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import FETCH_PEERS
from flights.models import Airline, Flight, Plane

from . import naive
from .naive import airports, count, export, pages, report, viewed, views, year
from .shapes import LATEST

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


def board(origin: str, day: date, limit: int) -> Iterable[Flight]:
    flights: Any = naive.board(origin, day, limit)
    return flights.fetch_mode(FETCH_PEERS)  # type: ignore[no-any-return]


def airline(code: str, limit: int) -> tuple[Airline, Iterable[Flight]]:
    found, flights = naive.airline(code, limit)
    return found, flights.fetch_mode(FETCH_PEERS)  # type: ignore[attr-defined]


def planes(limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
    for plane in Plane.objects.order_by("tail_number").fetch_mode(FETCH_PEERS)[:limit]:
        yield plane, plane.flights.order_by("-scheduled_departure", "-id")[:LATEST]


def delays(origin: str, destination: str, minutes: int, limit: int) -> Iterable[Flight]:
    flights: Any = naive.delays(origin, destination, minutes, limit)
    return flights.fetch_mode(FETCH_PEERS)  # type: ignore[no-any-return]


def departed(since: datetime, minutes: int, limit: int) -> Iterable[Flight]:
    flights: Any = naive.departed(since, minutes, limit)
    return flights.fetch_mode(FETCH_PEERS)  # type: ignore[no-any-return]
