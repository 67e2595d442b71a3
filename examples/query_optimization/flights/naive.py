"""The queries that everybody writes first: lazy relations, a page number, filters on what no index holds."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import (
    Avg,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
)
from django.db.models.functions import Coalesce
from queries.keyset import Page

from .models import Airport, Flight, Plane
from .shapes import LATEST, Month, ReportRow


class Naive:
    database = "default"  # a connection for each request

    def flights(self) -> QuerySet[Flight]:
        return Flight.objects.all()

    def board(self, origin: str, day: date, limit: int) -> QuerySet[Flight]:
        # __date compares an expression of the column, and the index holds the column.
        flights = self.flights().filter(origin_id=origin, scheduled_departure__date=day)
        return flights.order_by("scheduled_departure", "id")[:limit]

    def planes(self, limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
        for plane in Plane.objects.order_by("tail_number")[:limit]:
            yield plane, plane.flights.order_by("-scheduled_departure", "-id")[:LATEST]

    def delays(self, origin: str, destination: str, minutes: int, limit: int) -> QuerySet[Flight]:
        # A descending order begins with the cancelled flights, which have no delay; hence Coalesce.
        flights = self.flights().filter(origin_id=origin, destination_id=destination)
        late = flights.annotate(late=Coalesce("departure_delay", 0)).filter(late__gte=minutes)
        return late.order_by("-late", "scheduled_departure", "id")[:limit]

    def departed(self, since: datetime, minutes: int, limit: int) -> QuerySet[Flight]:
        # What is known already need not be kept, and no index can hold this sum.
        delay = ExpressionWrapper(F("departure_delay") * timedelta(minutes=1), DurationField())
        left = ExpressionWrapper(F("scheduled_departure") + delay, DateTimeField())
        flights = self.flights().annotate(left=left).filter(left__gte=since)
        until = since + timedelta(minutes=minutes)
        return flights.filter(left__lt=until).order_by("left", "id")[:limit]

    def airports(self, text: str, limit: int) -> Iterable[Airport]:
        return Airport.objects.filter(name__icontains=text).order_by("code")[:limit]

    def report(self, month: Month) -> Iterable[ReportRow]:
        # Two relations in one join: each flight is counted once for each wet hour of its airport.
        rows = (
            Airport.objects.filter(
                departures__scheduled_departure__range=month,
                weather__hour__range=month,
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

    def pages(self, size: int, order: str = "newest", **position: Any) -> Page[Flight]:
        late = F("departure_delay").desc(nulls_last=True)
        flights = self.flights().order_by(
            late if order == "delay" else "-scheduled_departure", "-id"
        )
        number: int = position.get("number", 1)
        first = (number - 1) * size
        found = list(flights[first : first + size])
        last = first + size >= flights.count()
        return Page(
            found,
            following=None if last else f"order={order}&number={number + 1}",
            previous=None if number == 1 else f"order={order}&number={number - 1}",
        )
