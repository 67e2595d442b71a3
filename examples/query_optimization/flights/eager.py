"""What a query counter leads to: the same filters, with every relation loaded in advance."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import QuerySet

from .models import Airline, Flight, Plane
from .naive import Naive
from .shapes import LATEST


class Eager(Naive):
    def board(self, origin: str, day: date, limit: int) -> QuerySet[Flight]:
        flights = super().board(origin, day, limit)
        return flights.select_related("airline", "destination", "plane")

    def airline(self, code: str, limit: int) -> tuple[Airline, QuerySet[Flight]]:
        found, flights = super().airline(code, limit)
        return found, flights.select_related("airline", "destination", "plane")

    def planes(self, limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
        # All flights of these planes come along, for the sake of three each.
        found = Plane.objects.order_by("tail_number").prefetch_related("flights")[:limit]
        for plane in found:
            latest = sorted(
                plane.flights.all(), key=lambda each: (each.scheduled_departure, each.pk)
            )
            yield plane, latest[: -LATEST - 1 : -1]

    def delays(self, origin: str, destination: str, minutes: int, limit: int) -> QuerySet[Flight]:
        flights = super().delays(origin, destination, minutes, limit)
        return flights.select_related("airline", "plane")

    def departed(self, since: datetime, minutes: int, limit: int) -> QuerySet[Flight]:
        flights = super().departed(since, minutes, limit)
        return flights.select_related("airline", "destination", "plane")
