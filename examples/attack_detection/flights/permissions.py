"""Who may operate, and who signs in."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare


def is_staff(request: HttpRequest) -> bool:
    """Tell whether the request bears the STAFF_TOKEN; without one in the settings, nobody does."""
    expected = settings.STAFF_TOKEN
    return bool(expected) and constant_time_compare(bearer(request.headers), expected)


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token that is shown; the case of the scheme says nothing (RFC 9110, section 11.1)."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def credentials(request: HttpRequest) -> tuple[str, bool]:
    """Return the name that was given by HTTP Basic (RFC 7617), and whether its password is right.

    The password of every user of this demonstration is their name and `-secret`.
    """
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        given = b64decode(encoded if scheme.lower() == "basic" else "").decode()
    except (Base64Error, ValueError):
        return "", False
    name, _, password = given.partition(":")
    return name, bool(name) and constant_time_compare(password, f"{name}-secret")
