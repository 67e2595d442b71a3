"""Your own API for flights and bookings. It begins as `generated`: filters by hand, bodies as they come.

Win `no-input-breaks-it` first, then `a-typo-is-refused`. All of `contract/` is at hand.
"""

from typing import Any

from django.urls import path
from flights.generated import FlightSerializer
from flights.models import Booking, Flight
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ModelViewSet


class Flights(ModelViewSet[Flight]):
    serializer_class, queryset = FlightSerializer, Flight.objects.order_by("id")

    def filter_queryset(self, flights: Any) -> Any:
        names = {"origin": "origin", "number": "number", "day": "departs__date"}
        asked = self.request.query_params
        return flights.filter(**{names[name]: asked[name] for name in names if name in asked})


@api_view(["POST"])
def book(request: Request) -> Response:
    sent: Any = request.data
    booking = Booking.objects.create(**sent | {"flight": Flight(sent["flight"])})
    return Response({"id": booking.pk}, status=201)


router = SimpleRouter(use_regex_path=False)
router.register("flights", Flights)
urlpatterns = [*router.urls, path("bookings/", book)]
