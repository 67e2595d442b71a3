"""Who may operate."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare


def is_staff(request: HttpRequest) -> bool:
    """Whether the request bears the STAFF_TOKEN; without one in the settings, nobody does."""
    expected = settings.STAFF_TOKEN
    return bool(expected) and constant_time_compare(bearer(request.headers), expected)


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token that is shown; the case of the scheme says nothing (RFC 9110, section 11.1)."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
