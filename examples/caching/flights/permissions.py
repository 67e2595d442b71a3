"""Who may operate."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.crypto import constant_time_compare
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class IsStaff(BasePermission):
    """Whoever holds the STAFF_TOKEN; without one in the settings, nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 -- DRF names it
        expected = settings.STAFF_TOKEN
        return bool(expected) and constant_time_compare(bearer(request.headers), expected)


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token that is shown; the case of the scheme says nothing (RFC 9110, section 11.1)."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
