"""What is written, and how a passenger signs in: functions of the database, the same for every variant."""

from .models import Booking
from .permissions import token_of


def sign_in(name: str, reference: str) -> str | None:
    """Return a token for the passenger of this name who has this booking; None if there is none."""
    found = Booking.objects.filter(passenger__name=name, reference=reference)
    passenger = found.values_list("passenger", flat=True).first()
    return token_of(passenger) if passenger else None


def change_seat(booking: int, seat: str, caller: int | None) -> Booking | None:
    """Give a booking of the caller another seat; None if the caller has no such booking."""
    found = Booking.objects.filter(pk=booking, passenger=caller).first()
    if found:
        found.seat = seat
        found.save(update_fields=["seat"])
    return found
