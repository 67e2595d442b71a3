"""How flights, bookings and problems look from outside; what will go says since when and until when."""

from typing import Any, ClassVar

from contract.deprecation import SINCE, SUNSET
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from .models import Booking, Flight

GOES = {"deprecated": True, SINCE: "2026-06-30", SUNSET: "2027-06-30"}
KILOMETRES = 1.609344
ON_TIME_MINUTES = 15


def status(flight: Flight) -> str:
    if flight.delay_minutes is None:
        return "cancelled"
    return "late" if flight.delay_minutes > ON_TIME_MINUTES else "on_time"


class FlightSerializer(serializers.ModelSerializer[Flight]):
    """A flight as release 2026 has it: all of 2025, with `airline` and `distance_km`."""

    carrier = serializers.SerializerMethodField()
    airline = serializers.CharField(source="carrier", help_text="IATA code of the airline")
    delay = serializers.SerializerMethodField()
    distance = serializers.SerializerMethodField()
    distance_km = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()

    class Meta:
        model = Flight
        fields: ClassVar[Any] = (
            *("id", "carrier", "airline", "number", "origin", "destination", "departs"),
            *("delay", "distance", "distance_km", "status", "bags"),
        )
        read_only_fields = fields

    @extend_schema_field({"type": "string", "description": "`airline` takes its place.", **GOES})
    def get_carrier(self, flight: Flight) -> str:
        return flight.carrier

    @extend_schema_field({"type": "integer", "description": "Minutes; 0 if it was cancelled."})
    def get_delay(self, flight: Flight) -> int:
        return flight.delay_minutes or 0

    @extend_schema_field(
        {"type": "integer", "description": "Miles; `distance_km` takes its place.", **GOES}
    )
    def get_distance(self, flight: Flight) -> int:
        return flight.distance_miles

    @extend_schema_field({"type": "integer"})
    def get_distance_km(self, flight: Flight) -> int:
        return round(flight.distance_miles * KILOMETRES)

    @extend_schema_field({"type": "string", "enum": ["on_time", "late", "cancelled"]})
    def get_status(self, flight: Flight) -> str:
        return status(flight)


class PageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    results = FlightSerializer(many=True)


class BookingSerializer(serializers.ModelSerializer[Booking]):
    flight = serializers.IntegerField(source="flight_id")

    class Meta:
        model = Booking
        fields: ClassVar[Any] = ("id", "flight", "passenger", "seat")
        read_only_fields = fields


class FaultSerializer(serializers.Serializer[Any]):
    where = serializers.ChoiceField(choices=("query", "body"))
    name = serializers.CharField()
    says = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    faults = FaultSerializer(many=True, required=False)
