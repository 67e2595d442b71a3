"""`kept`, released as if all clients were: a field renamed, a unit, an enum, a null, a default changed."""

from typing import Any, ClassVar, Final

from django.urls import path
from rest_framework import serializers

from . import kept
from .answers import KILOMETRES, status
from .models import Flight

RELEASE: Final = "in_place"


class FlightSerializer(serializers.ModelSerializer[Flight]):
    """Each line that changed is one that nobody would refuse in a review."""

    airline = serializers.CharField(source="carrier")  # was `carrier`
    delay = serializers.IntegerField(source="delay_minutes")  # null if cancelled, was 0
    distance = serializers.SerializerMethodField()  # kilometres, was miles
    status = serializers.SerializerMethodField()  # may be `early`, too

    class Meta:
        model = Flight
        fields: ClassVar[Any] = (
            *("id", "airline", "number", "origin", "destination", "departs"),
            *("delay", "distance", "status", "bags"),
        )

    def get_distance(self, flight: Flight) -> int:
        return round(flight.distance_miles * KILOMETRES)

    def get_status(self, flight: Flight) -> str:
        return "early" if (flight.delay_minutes or 0) < 0 else status(flight)


SHAPE: Final[dict[str, Any]] = {"release": RELEASE, "shape": FlightSerializer}
urlpatterns = [
    path("flights/", kept.Flights.as_view(**SHAPE)),
    path("flights/<int:id>/", kept.OneFlight.as_view(**SHAPE)),
    path("bookings/", kept.Bookings.as_view(release=RELEASE)),
    path("bookings/<int:id>/", kept.OneBooking.as_view(release=RELEASE)),
]
