"""Your own queries. They begin as those that everybody writes first: lazy relations and page numbers.

Win `queries-do-not-grow` first, in `flights` and `planes`: load what a list shows together with its flights.
Then take over more of `flights/naive.py`. All of `queries/` and `loading/` is at hand.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import QuerySet
from flights.models import Flight, Plane
from flights.naive import Naive
from flights.shapes import LATEST
from loading.copy import FIELDS, Row


class Queries(Naive):
    database = "default"  # a connection for each request; "pooled": one of those that are kept

    def flights(self) -> QuerySet[Flight]:
        return Flight.objects.all()

    def board(self, origin: str, day: date, limit: int) -> QuerySet[Flight]:
        flights = self.flights().filter(origin_id=origin, scheduled_departure__date=day)
        return flights.order_by("scheduled_departure", "id")[:limit]

    def planes(self, limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
        for plane in Plane.objects.order_by("tail_number")[:limit]:
            yield plane, plane.flights.order_by("-scheduled_departure", "-id")[:LATEST]

    def load(self, rows: Iterable[Row]) -> None:
        for row in rows:
            Flight.objects.create(**dict(zip(FIELDS, row, strict=True)))

    def export(self, rows: int) -> Iterable[Any]:
        return list(Flight.objects.order_by("id")[:rows])


QUERIES = Queries()
