"""Object permissions as REST framework's tutorial has them, over tables without policies."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from .bookings import Bookings, Flights
from .models import Booking, Desk, Flight


class IsOwner(BasePermission):
    def has_object_permission(self, request: Request, _view: Any, booking: Booking) -> bool:
        """Let the passenger, the desk of the airline, and staff."""
        desk = Desk.objects.filter(user=request.user.pk, airline=booking.flight.airline)
        return request.user.is_staff or booking.passenger_id == request.user.pk or desk.exists()


class OwnedBookings(Bookings):
    using = "owner"
    authentication_classes = (JWTAuthentication,)
    permission_classes = (IsAuthenticated, IsOwner)


class FilteredFlights(Flights):
    """The search of many a list: whatever the address says is a filter."""

    using = "owner"

    def get_queryset(self) -> QuerySet[Flight]:
        return Flight.objects.using(self.using).filter(**self.request.GET.dict()).distinct()
