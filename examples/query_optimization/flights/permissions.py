"""Who may operate: whoever holds the STAFF_TOKEN."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.crypto import constant_time_compare
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


def is_staff(headers: Mapping[str, str]) -> bool:
    """Whether the sender holds the STAFF_TOKEN; without one in the settings, nobody does."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    expected = settings.STAFF_TOKEN
    return bool(expected) and scheme == "Bearer" and constant_time_compare(token, expected)


class IsStaff(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 -- DRF names it
        return is_staff(request.headers)
