"""Fetch modes of Django 6.1: the first access to a relation loads it for all objects of the same list.

Django documentation 6.1, Fetch modes. They know foreign keys and deferred fields, not reverse sets.
"""

from collections.abc import Iterable

from django.db.models import FETCH_PEERS, QuerySet

from .models import Flight, Plane
from .naive import Naive
from .shapes import LATEST


class FetchPeers(Naive):
    def flights(self) -> QuerySet[Flight]:
        return super().flights().fetch_mode(FETCH_PEERS)

    def planes(self, limit: int) -> Iterable[tuple[Plane, Iterable[Flight]]]:
        for plane in Plane.objects.order_by("tail_number").fetch_mode(FETCH_PEERS)[:limit]:
            yield plane, plane.flights.order_by("-scheduled_departure", "-id")[:LATEST]
