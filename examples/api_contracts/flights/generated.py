"""What everybody builds: a model's serializer and view set, filters by hand, and what was added in a hurry.

Filters as the documentation of Django REST framework shows them ("Filtering against query parameters").
"""

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from rest_framework import serializers, viewsets
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from .models import FILTERS, Booking, Flight


class FlightSerializer(serializers.ModelSerializer[Flight]):
    delay = serializers.SerializerMethodField()

    class Meta:
        model = Flight
        fields = ("id", "carrier", "number", "origin", "destination", "departs", "delay", "bags")

    def get_delay(self, flight: Flight):  # type: ignore[no-untyped-def]  # noqa: ANN201 -- as it is written
        return {"minutes": flight.delay_minutes or 0, "cancelled": flight.delay_minutes is None}


class Flights(viewsets.ModelViewSet[Flight]):
    serializer_class = FlightSerializer
    queryset = Flight.objects.order_by("id")

    def get_queryset(self) -> QuerySet[Flight]:
        asked = self.request.query_params
        found = {field: asked[name] for name, field in FILTERS.items() if name in asked}
        return super().get_queryset().filter(**found)


@api_view(["POST"])
def book(request: Request) -> Response:
    asked: Any = request.data
    flight = Flight.objects.get(id=asked["flight"])
    booking = Booking.objects.create(
        flight=flight, passenger=asked["passenger"], seat=asked["seat"]
    )
    return Response({"id": booking.pk, "seat": booking.seat}, status=201)


@api_view(["DELETE"])
def cancel(_request: Request, pk: int) -> Response:
    Booking.objects.filter(pk=pk).delete()
    return Response(status=204)


def routes(flights: type[Flights]) -> list[Any]:
    router = SimpleRouter(use_regex_path=False)
    router.register("flights", flights)
    return [*router.urls, path("bookings/", book), path("bookings/<int:pk>/", cancel)]


urlpatterns = routes(Flights)
