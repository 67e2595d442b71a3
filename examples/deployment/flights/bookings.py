"""Book a seat once, however often a client has to ask.

The field is that of draft-ietf-httpapi-idempotency-key-header-07: a client that was cut off cannot know
whether its POST was carried out, so it sends the same key again.
"""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from .departures import FLIGHTS
from .models import Booking
from .payments import charge
from .problems import problem

LONGEST = 100  # characters, of a key and of a name
FORM = 'Send {"flight": "B6725", "passenger": "Ada"}: a flight of a board, and up to 100 characters'


def book(request: HttpRequest) -> HttpResponse:
    """Answer 201 to the first request with a key, 200 to the same one again, 422 to another."""
    if settings.FAULT == "bookings":
        raise ValueError(f"release {settings.RELEASE} cannot book")
    key = request.headers.get("Idempotency-Key", "")
    if not key.isprintable() or not 0 < len(key) <= LONGEST:
        return problem(400, f"Idempotency-Key has to have 1 to {LONGEST} printable characters")
    if (asked := wanted(request.body)) is None:
        return problem(400, FORM)
    first = asked | {"release": settings.RELEASE}
    if settings.PAYMENTS:  # first: the provider charges once for a key, however often it is asked
        first["receipt"] = charge(key)
    booking, made = Booking.objects.get_or_create(key=key, defaults=first)
    if any(getattr(booking, name) != value for name, value in asked.items()):
        return problem(422, "This Idempotency-Key was used for another booking")
    told = {"booking": booking.pk, "flight": booking.flight, "receipt": booking.receipt}
    return JsonResponse(told, status=201 if made else 200)


def wanted(body: bytes) -> dict[str, str] | None:
    """Return what is to be booked; nothing if that cannot be."""
    try:
        said: Any = json.loads(body)
        flight, passenger = said["flight"], said["passenger"]
        known = flight in FLIGHTS and passenger.isprintable() and 0 < len(passenger) <= LONGEST
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return {"flight": flight, "passenger": passenger} if known else None
