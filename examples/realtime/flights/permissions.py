"""Who may operate."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare


def is_staff(request: HttpRequest) -> bool:
    """Whether the request bears the STAFF_TOKEN; without one in the settings, nobody does."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.STAFF_TOKEN
    return bool(expected) and scheme == "Bearer" and constant_time_compare(token, expected)
