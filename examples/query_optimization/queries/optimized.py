"""The solution: a fixed number of queries, each of which reads little more than it returns."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from counting import rows, slots
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connections
from django.db.models import FETCH_RAISE, Avg, Count, OuterRef, Q, QuerySet, Sum
from flights import models
from flights.models import LATE_MINUTES, Airline, Airport, Flight, Plane, Views, Weather
from loading.export import stream

from .keyset import Cursor, keyset_page
from .orderings import ORDERINGS, at
from .shapes import DEPARTURE, LATEST, Month, MonthRow, Page, ReportRow, Rows

DATABASE = "pooled"
# The airports from which this service has flights: an index that begins with the origin needs them named.
ORIGINS = ("EWR", "JFK", "LGA")
MOST_COUNTED = 1_000


def flights() -> QuerySet[Flight]:
    """Flights of which every relation has to be asked for: a forgotten one is an error, not a query."""
    return Flight.objects.using(DATABASE).fetch_mode(FETCH_RAISE)


# Columns, not objects: nothing of a row is left to be loaded later, or made for nothing.
# Made once: the relations of these columns are looked up when this is imported, not for each request.
DEPARTURES = Flight.objects.values_list(*DEPARTURE)
BOARD = DEPARTURES.order_by("scheduled_departure", "id")


def board(origin: str, day: date, limit: int) -> Iterable[tuple[Any, ...]]:
    midnight = datetime.combine(day, time(), UTC)
    that_day = BOARD.using(DATABASE).filter(
        origin=origin,
        scheduled_departure__gte=midnight,
        scheduled_departure__lt=midnight + timedelta(days=1),
    )
    return that_day[:limit]


def airline(code: str, limit: int) -> tuple[Airline, Iterable[tuple[Any, ...]]]:
    found = Airline.objects.using(DATABASE).get(code=code)
    theirs = DEPARTURES.using(DATABASE).filter(airline=found)
    return found, theirs.order_by("-scheduled_departure", "-id")[:limit]


def planes(limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
    # A window function over all flights of these planes would read them all for three each.
    latest = Flight.objects.filter(plane=OuterRef("pk")).order_by("-scheduled_departure", "-id")
    found = list(
        Plane.objects.using(DATABASE)
        .annotate(latest=ArraySubquery(latest.values("pk")[:LATEST]))
        .order_by("tail_number")[:limit]
    )
    by_id = flights().in_bulk([key for plane in found for key in plane.latest])
    for plane in found:
        yield plane, [by_id[key] for key in plane.latest]


def delays(origin: str, destination: str, minutes: int, limit: int) -> Iterable[Flight]:
    if minutes < LATE_MINUTES:  # below that the partial index holds nothing
        raise ValueError(f"minutes: a flight is late from {LATE_MINUTES} minutes on")
    late = flights().filter(origin=origin, destination=destination, departure_delay__gte=minutes)
    ordered = late.order_by("-departure_delay", "scheduled_departure", "id")
    return ordered.select_related("airline", "plane")[:limit]


def departed(since: datetime, minutes: int, limit: int) -> Iterable[tuple[Any, ...]]:
    until = since + timedelta(minutes=minutes)
    left = DEPARTURES.using(DATABASE).filter(departed__gte=since, departed__lt=until)
    return left.order_by("departed", "id")[:limit]


def airports(text: str, limit: int) -> Iterable[Airport]:
    found = Airport.objects.using(DATABASE).filter(name__ilike=text)
    return found.order_by("code")[:limit]


def report(month: Month) -> Iterable[ReportRow]:
    # One aggregate for each relation; nothing is joined that could be counted twice.
    weather = Weather.objects.using(DATABASE).filter(hour__range=month.range)
    hours = weather.filter(precipitation_inches__gte=0.1).values("airport")
    wet = dict(hours.annotate(hours=Count("id")).values_list("airport", "hours"))
    departures = (
        flights()
        .filter(scheduled_departure__range=month.range, origin__in=ORIGINS)
        .values("origin")
        .annotate(
            flights=Count("id"),
            cancelled=Count("id", filter=Q(departure_delay=None)),
            mean=Avg("departure_delay"),
        )
        .order_by("origin")
    )
    for row in departures:
        origin = row["origin"]
        yield ReportRow(origin, row["flights"], row["cancelled"], row["mean"], wet.get(origin, 0))


def year() -> Iterable[MonthRow]:
    # As of the last refresh: a year of rows is not added up for each who asks.
    for row in models.Month.objects.using(DATABASE).order_by("month", "origin_id"):
        flights = row.flights, row.cancelled, row.mean_delay
        yield MonthRow(f"{row.month:%Y-%m}", row.origin_id, *flights, row.rank)


def count(**route: str) -> Rows:
    if not route:
        return Rows(rows.estimated(DATABASE, Flight), "estimated")
    found = rows.at_most(flights().filter(**route), MOST_COUNTED)
    return Rows(found, "at least" if found == MOST_COUNTED else "counted")


def viewed(origin: str) -> None:
    slots.count(DATABASE, origin)


def views(origin: str) -> int:
    found = Views.objects.using(DATABASE).filter(airport=origin, slot__gte=0)
    return found.aggregate(seen=Sum("seen", default=0))["seen"]  # type: ignore[no-any-return]


def export(rows: int) -> Iterable[bytes]:
    return stream(connections[DATABASE], rows)


def pages(
    size: int,
    order: str = "newest",
    cursor: Cursor | None = None,
    before: datetime | None = None,
    **_: Any,
) -> Page:
    position = cursor or (at(before) if before else None)
    return keyset_page(flights(), ORDERINGS[order], size, position)
