"""What a query counter leads to: the same filters, with every relation loaded in advance."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

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
    return flights.select_related("airline", "destination", "plane")  # type: ignore[no-any-return]


def airline(code: str, limit: int) -> tuple[Airline, Iterable[Flight]]:
    found, flights = naive.airline(code, limit)
    return found, flights.select_related("destination", "plane")  # type: ignore[attr-defined]


def planes(limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
    # All flights of these planes come along, for the sake of three each.
    found = Plane.objects.order_by("tail_number").prefetch_related("flights")[:limit]
    for plane in found:
        latest = sorted(plane.flights.all(), key=lambda each: (each.scheduled_departure, each.pk))
        yield plane, latest[: -LATEST - 1 : -1]


def delays(origin: str, destination: str, minutes: int, limit: int) -> Iterable[Flight]:
    flights: Any = naive.delays(origin, destination, minutes, limit)
    return flights.select_related("airline", "plane")  # type: ignore[no-any-return]


def departed(since: datetime, minutes: int, limit: int) -> Iterable[Flight]:
    flights: Any = naive.departed(since, minutes, limit)
    return flights.select_related("airline", "destination", "plane")  # type: ignore[no-any-return]
