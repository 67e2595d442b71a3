"""Fetch modes of Django 6.1: the first access to a relation loads it for all objects of the same list.

Django documentation 6.1, Fetch modes. They know foreign keys and deferred fields, not reverse sets.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import FETCH_PEERS
from flights.models import Airport, Flight, Plane

from . import naive
from .shapes import LATEST, Month, Page, ReportRow

DATABASE = naive.DATABASE


def board(origin: str, day: date, limit: int) -> Iterable[Flight]:
    flights: Any = naive.board(origin, day, limit)
    return flights.fetch_mode(FETCH_PEERS)  # type: ignore[no-any-return]


def planes(limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
    for plane in Plane.objects.order_by("tail_number").fetch_mode(FETCH_PEERS)[:limit]:
        yield plane, plane.flights.order_by("-scheduled_departure", "-id")[:LATEST]


def delays(origin: str, destination: str, minutes: int, limit: int) -> Iterable[Flight]:
    flights: Any = naive.delays(origin, destination, minutes, limit)
    return flights.fetch_mode(FETCH_PEERS)  # type: ignore[no-any-return]


def airports(text: str, limit: int) -> Iterable[Airport]:
    return naive.airports(text, limit)


def report(month: Month) -> Iterable[ReportRow]:
    return naive.report(month)


def pages(size: int, number: int = 1, **_: Any) -> Page:
    return naive.pages(size, number)
