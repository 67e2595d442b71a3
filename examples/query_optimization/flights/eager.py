"""What a query counter leads to: the same filters, with every relation loaded in advance."""

from collections.abc import Iterable

from django.db.models import QuerySet

from .models import Flight, Plane
from .naive import Naive
from .shapes import LATEST


class Eager(Naive):
    def flights(self) -> QuerySet[Flight]:
        return super().flights().select_related("airline", "destination", "plane")

    def planes(self, limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
        # All flights of these planes come along, for the sake of three each.
        found = Plane.objects.order_by("tail_number").prefetch_related("flights")[:limit]
        for plane in found:
            latest = sorted(
                plane.flights.all(), key=lambda each: (each.scheduled_departure, each.pk)
            )
            yield plane, latest[: -LATEST - 1 : -1]
