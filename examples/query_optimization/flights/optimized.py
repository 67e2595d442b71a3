"""The solution: a fixed number of queries, each of which reads little more than it returns."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import FETCH_RAISE, Avg, Count, OuterRef, Q, QuerySet
from queries.keyset import Page, keyset_page

from .models import Airport, Flight, Plane, Weather
from .orderings import ORDERINGS, begun
from .shapes import DEPARTURE, LATEST, Month, ReportRow

# The airports from which this service has flights: an index that begins with the origin needs them named.
ORIGINS = ("EWR", "JFK", "LGA")
# Columns, not objects: nothing of a row is left to be loaded later, or made for nothing.
# Made once: the relations of these columns are looked up when this is imported, not for each request.
DEPARTURES = Flight.objects.values_list(*DEPARTURE)
BOARD = DEPARTURES.order_by("scheduled_departure", "id")


class Optimized:
    database = "pooled"

    def flights(self) -> QuerySet[Flight]:
        """Flights of which every relation has to be asked for: a forgotten one is an error, not a query."""
        return Flight.objects.using(self.database).fetch_mode(FETCH_RAISE)

    def board(self, origin: str, day: date, limit: int) -> Iterable[tuple[Any, ...]]:
        midnight = datetime.combine(day, time(), UTC)
        that_day = BOARD.using(self.database).filter(
            origin=origin,
            scheduled_departure__gte=midnight,
            scheduled_departure__lt=midnight + timedelta(days=1),
        )
        return that_day[:limit]

    def planes(self, limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
        # A window function over all flights of these planes would read them all for three each.
        latest = Flight.objects.filter(plane=OuterRef("pk")).order_by("-scheduled_departure", "-id")
        found = list(
            Plane.objects.using(self.database)
            .annotate(latest=ArraySubquery(latest.values("pk")[:LATEST]))
            .order_by("tail_number")[:limit]
        )
        by_id = self.flights().in_bulk([key for plane in found for key in plane.latest])
        for plane in found:
            yield plane, [by_id[key] for key in plane.latest]

    def delays(self, origin: str, destination: str, minutes: int, limit: int) -> Iterable[Flight]:
        route = self.flights().filter(origin=origin, destination=destination)
        late = route.filter(departure_delay__gte=minutes).select_related("airline", "plane")
        return late.order_by("-departure_delay", "scheduled_departure", "id")[:limit]

    def departed(self, since: datetime, minutes: int, limit: int) -> Iterable[tuple[Any, ...]]:
        until = since + timedelta(minutes=minutes)
        left = DEPARTURES.using(self.database).filter(departed__gte=since, departed__lt=until)
        return left.order_by("departed", "id")[:limit]

    def airports(self, text: str, limit: int) -> Iterable[Airport]:
        found = Airport.objects.using(self.database).filter(name__ilike=text)
        return found.order_by("code")[:limit]

    def report(self, month: Month) -> Iterable[ReportRow]:
        # One aggregate for each relation; nothing is joined that could be counted twice.
        weather = Weather.objects.using(self.database).filter(hour__range=month)
        hours = weather.filter(precipitation_inches__gte=0.1).values("airport")
        wet = dict(hours.annotate(hours=Count("id")).values_list("airport", "hours"))
        departures = (
            self.flights()
            .filter(scheduled_departure__range=month, origin__in=ORIGINS)
            .values("origin")
            .annotate(
                flights=Count("id"),
                cancelled=Count("id", filter=Q(departure_delay=None)),
                mean=Avg("departure_delay"),
            )
            .order_by("origin")
        )
        for row in departures:
            counted = row["flights"], row["cancelled"], row["mean"]
            yield ReportRow(row["origin"], *counted, wet.get(row["origin"], 0))

    def pages(self, size: int, order: str = "newest", **position: Any) -> Page[Flight]:
        return keyset_page(self.flights(), ORDERINGS[order], size, begun(position))
