"""The solution: requests are read by the contract, a change proves what it has read, old fields stay."""

from typing import Any, ClassVar

from contract import preconditions
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from . import written
from .answers import BookingSerializer, FlightSerializer, PageSerializer
from .models import FILTERS, Booking, Flight
from .problems import problem
from .promised import Promised

RELEASE = "2026"


class Flights(Promised):
    release = RELEASE
    shape: ClassVar[Any] = FlightSerializer

    @extend_schema(
        operation_id="list_flights",
        parameters=written.LISTED,
        responses={200: PageSerializer, **written.problems()},
    )
    def get(self, _request: Request) -> Response:
        """List flights in the order of their ids, a page at a time."""
        asked = self.asked
        found = {field: asked[name] for name, field in FILTERS.items() if name in asked}
        flights = Flight.objects.filter(**found).order_by("id")
        first = (asked["page"] - 1) * asked["page_size"]
        shown = self.shape(flights[first : first + asked["page_size"]], many=True).data
        told = {name: asked[name] for name in ("page", "page_size")}
        return Response({"count": flights.count(), **told, "results": shown})


class OneFlight(Promised):
    release = RELEASE
    shape: ClassVar[Any] = FlightSerializer

    @extend_schema(
        operation_id="read_flight",
        parameters=[written.ONE, written.ETAG],
        responses={200: FlightSerializer, **written.problems(404)},
    )
    def get(self, _request: Request, id: int) -> Response:  # noqa: A002 -- as the contract names it
        """Read a flight, and its version."""
        return self._told(get_object_or_404(Flight, pk=id))

    @extend_schema(
        operation_id="change_flight",
        parameters=[written.ONE, written.IF_MATCH, written.ETAG],
        request={"application/json": written.CHANGE},
        examples=[written.BAGS],
        responses={200: FlightSerializer, **written.problems(404, 412, 415, 428)},
    )
    @transaction.atomic
    def patch(self, request: Request, id: int) -> Response:  # noqa: A002
        """Change a flight that is still as it was read."""
        read = preconditions.versions(request.headers.get("If-Match"))
        flight = Flight.objects.filter(pk=id)
        if not flight.exists():
            raise Http404
        preconditions.change(flight, read, **self.body)
        return self._told(flight.get())

    def _told(self, flight: Flight) -> Response:
        return Response(
            self.shape(flight).data, headers={"ETag": preconditions.tag(flight.version)}
        )


class Bookings(Promised):
    release = RELEASE

    @extend_schema(
        operation_id="book",
        request={"application/json": written.BOOK},
        examples=[written.SEAT],
        responses={201: BookingSerializer, **written.problems(404, 409, 415)},
    )
    def post(self, _request: Request) -> Response | HttpResponse:
        """Book a seat."""
        flight = get_object_or_404(Flight, pk=self.body["flight"])
        try:
            booking = Booking.objects.create(**self.body | {"flight": flight})
        except IntegrityError:
            return problem(409, "This seat is taken")
        return Response(BookingSerializer(booking).data, status=201)


class OneBooking(Promised):
    release = RELEASE

    @extend_schema(
        operation_id="cancel",
        parameters=[written.ONE],
        responses={204: None, **written.problems(404)},
    )
    def delete(self, _request: Request, id: int) -> Response:  # noqa: A002
        """Cancel a booking."""
        if not Booking.objects.filter(pk=id).delete()[0]:
            raise Http404
        return Response(status=204)


urlpatterns = [
    path("flights/", Flights.as_view()),
    path("flights/<int:id>/", OneFlight.as_view()),
    path("bookings/", Bookings.as_view()),
    path("bookings/<int:id>/", OneBooking.as_view()),
]
