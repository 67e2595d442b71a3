"""The queries that everybody writes first: lazy relations, a page number, filters on what no index holds."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, DateTimeField, DurationField, ExpressionWrapper, F, Q
from django.db.models.functions import Coalesce, TruncMonth
from flights.models import Airline, Airport, Flight, Plane, Views
from loading.export import as_lines

from .shapes import LATEST, Month, MonthRow, Page, ReportRow, Rows

DATABASE = "default"  # a connection for each request
SLOT = -1  # a counter of its own, so that those of the solution can be compared with it


def board(origin: str, day: date, limit: int) -> Iterable[Flight]:
    # __date compares an expression of the column, and the index holds the column.
    flights = Flight.objects.filter(origin_id=origin, scheduled_departure__date=day)
    return flights.order_by("scheduled_departure", "id")[:limit]


def airline(code: str, limit: int) -> tuple[Airline, Iterable[Flight]]:
    found = Airline.objects.get(code=code)
    return found, found.flights.order_by("-scheduled_departure", "-id")[:limit]


def planes(limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
    for plane in Plane.objects.order_by("tail_number")[:limit]:
        yield plane, plane.flights.order_by("-scheduled_departure", "-id")[:LATEST]


def delays(origin: str, destination: str, minutes: int, limit: int) -> Iterable[Flight]:
    # A descending order begins with the cancelled flights, which have no delay; hence Coalesce.
    flights = Flight.objects.filter(origin_id=origin, destination_id=destination)
    late = flights.annotate(late=Coalesce("departure_delay", 0)).filter(late__gte=minutes)
    return late.order_by("-late", "scheduled_departure", "id")[:limit]


def departed(since: datetime, minutes: int, limit: int) -> Iterable[Flight]:
    # What is known already need not be kept, and no index can hold this sum.
    delay = ExpressionWrapper(F("departure_delay") * timedelta(minutes=1), DurationField())
    left = ExpressionWrapper(F("scheduled_departure") + delay, DateTimeField())
    flights = Flight.objects.annotate(left=left).filter(left__gte=since)
    until = since + timedelta(minutes=minutes)
    return flights.filter(left__lt=until).order_by("left", "id")[:limit]


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


def year() -> Iterable[MonthRow]:
    months = Flight.objects.annotate(month=TruncMonth("scheduled_departure")).values("month")
    rows = list(
        months.annotate(
            airport=F("origin"),
            flights=Count("id"),
            cancelled=Count("id", filter=Q(departure_delay=None)),
            mean=Avg("departure_delay"),
        ).order_by("month", "airport")
    )
    for row in rows:
        more = [
            each for each in rows if each["month"] == row["month"] and each["mean"] > row["mean"]
        ]
        month = f"{row['month']:%Y-%m}"
        flights = row["flights"], row["cancelled"], row["mean"]
        yield MonthRow(month, row["airport"], *flights, len(more) + 1)


def count(**route: str) -> Rows:
    return Rows(Flight.objects.filter(**route).count(), "counted")


def viewed(origin: str) -> None:
    # Read, add, write: of two that read the same number, one counts for nothing.
    counter, _ = Views.objects.get_or_create(airport_id=origin, slot=SLOT, defaults={"seen": 0})
    counter.seen += 1
    counter.save()


def views(origin: str) -> int:
    counter = Views.objects.filter(airport=origin, slot=SLOT).first()
    return counter.seen if counter else 0


def export(rows: int) -> Iterable[bytes]:
    return as_lines(list(Flight.objects.order_by("id")[:rows]))


def pages(size: int, order: str = "newest", number: int = 1, **_: Any) -> Page:
    late = F("departure_delay").desc(nulls_last=True)
    flights = Flight.objects.order_by(late if order == "delay" else "-scheduled_departure", "-id")
    first = (number - 1) * size
    found = list(flights[first : first + size])
    last = first + size >= flights.count()
    return Page(
        found,
        following=None if last else f"order={order}&number={number + 1}",
        previous=None if number == 1 else f"order={order}&number={number - 1}",
    )
