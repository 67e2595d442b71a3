"""Flights, bookings and passengers, as a view is written by someone who trusts what is below it.

The naive variant and the solution share these views. They differ in whose rows the database shows.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, IntegerField, ModelSerializer
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from .asked import Named, Search
from .models import Booking, Flight, Passenger
from .problems import NOT_THERE


class BookingSerializer(ModelSerializer[Booking]):
    flight = Named(queryset=Flight.objects.all())
    passenger = Named(queryset=Passenger.objects.all())
    name = CharField(source="passenger.name", read_only=True)
    passport = CharField(source="passenger.passport", read_only=True)

    class Meta:
        model = Booking
        fields = (
            "id",
            "reference",
            "flight",
            "passenger",
            "name",
            "passport",
            "seat",
            "checked_in",
        )

    def create(self, said: dict[str, Any]) -> Booking:
        return Booking.objects.using(self.context["view"].using).create(**said)


class Bookings(ModelViewSet[Booking]):
    """List, one, create, change, delete; all as a list for a spreadsheet; check in."""

    using = "default"
    permission_classes: Sequence[type[BasePermission]] = (IsAuthenticated,)
    serializer_class = BookingSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Booking]:
        return Booking.objects.using(self.using).select_related("passenger")

    @action(detail=False)
    def export(self, _request: Request) -> Response:
        rows = self.get_queryset().values_list("reference", "seat", "passenger__passport")
        return Response(list(rows))

    @action(detail=True, methods=["post"])
    def check_in(self, _request: Request, pk: int) -> Response:
        if not Booking.objects.using(self.using).filter(pk=pk).update(checked_in=True):
            raise NotFound(NOT_THERE)
        return Response({"checked_in": True})


class FlightSerializer(ModelSerializer[Flight]):
    yours = IntegerField(default=0, read_only=True)

    class Meta:
        model = Flight
        fields = ("id", "number", "airline", "departs", "yours")


class Flights(ReadOnlyModelViewSet[Flight]):
    """Public; and to who asks how many bookings they see on each."""

    using = "default"
    serializer_class = FlightSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Flight]:
        search = Search(data=self.request.GET.dict())
        search.is_valid(raise_exception=True)
        if search.initial_data.keys() - search.fields.keys():
            raise ValidationError("Flights are asked for by airline and number")
        flights = Flight.objects.using(self.using).filter(**search.validated_data)
        return flights.annotate(yours=Count("booking"))
