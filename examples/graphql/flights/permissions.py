"""Who asks: staff hold the STAFF_TOKEN, a passenger the token that signing in gave."""

from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare

SALT = "flights.passenger"
HOURS = 12


def is_staff(headers: Mapping[str, str]) -> bool:
    """Whether the sender holds the STAFF_TOKEN; without one in the settings, nobody does."""
    expected = settings.STAFF_TOKEN
    return bool(expected) and constant_time_compare(bearer(headers), expected)


def token_of(passenger: int) -> str:
    """Return what a passenger shows for some hours after signing in."""
    return signing.dumps(passenger, salt=SALT)


def passenger_of(headers: Mapping[str, str]) -> int | None:
    """Return the key of the passenger who asks; None for everybody else. It asks no database."""
    try:
        return int(signing.loads(bearer(headers), salt=SALT, max_age=HOURS * 3600))
    except signing.BadSignature:
        return None


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token that is shown; the case of the scheme says nothing (RFC 9110, section 11.1)."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
