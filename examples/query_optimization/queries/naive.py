"""The queries that everybody writes first: lazy relations, a page number, filters on what no index holds."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Avg, Count, Q
from django.db.models.functions import Coalesce
from flights.models import Airport, Flight, Plane

from .shapes import LATEST, Month, Page, ReportRow

DATABASE = "default"  # a connection for each request


def board(origin: str, day: date, limit: int) -> Iterable[Flight]:
    # __date compares an expression of the column, and the index holds the column.
    flights = Flight.objects.filter(origin_id=origin, scheduled_departure__date=day)
    return flights.order_by("scheduled_departure", "id")[:limit]


def planes(limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
    for plane in Plane.objects.order_by("tail_number")[:limit]:
        yield plane, plane.flights.order_by("-scheduled_departure", "-id")[:LATEST]


def delays(origin: str, destination: str, minutes: int, limit: int) -> Iterable[Flight]:
    # A descending order begins with the cancelled flights, which have no delay; hence Coalesce.
    flights = Flight.objects.filter(origin_id=origin, destination_id=destination)
    late = flights.annotate(late=Coalesce("departure_delay", 0)).filter(late__gte=minutes)
    return late.order_by("-late", "scheduled_departure", "id")[:limit]


def airports(text: str, limit: int) -> Iterable[Airport]:
    return Airport.objects.filter(name__icontains=text).order_by("code")[:limit]


def report(month: Month) -> Iterable[ReportRow]:
    # Two relations in one join: each flight is counted once for each wet hour of its airport.
    rows = (
        Airport.objects.filter(
            departures__scheduled_departure__range=month.range,
            weather__hour__range=month.range,
            weather__precipitation_inches__gte=0.1,
        )
        .annotate(
            flights=Count("departures"),
            cancelled=Count("departures", filter=Q(departures__departure_delay=None)),
            mean_delay=Avg("departures__departure_delay"),
            wet_hours=Count("weather"),
        )
        .order_by("code")
    )
    for row in rows:
        yield ReportRow(row.code, row.flights, row.cancelled, row.mean_delay, row.wet_hours)


def pages(size: int, number: int = 1, **_: Any) -> Page:
    flights = Flight.objects.order_by("-scheduled_departure", "-id")
    first = (number - 1) * size
    found = list(flights[first : first + size])
    last = first + size >= flights.count()
    return Page(
        found,
        following=None if last else f"number={number + 1}",
        previous=None if number == 1 else f"number={number - 1}",
    )
