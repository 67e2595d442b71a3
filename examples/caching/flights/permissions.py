"""Who may operate."""

from django.conf import settings
from django.utils.crypto import constant_time_compare
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class IsStaff(BasePermission):
    """Whoever holds the STAFF_TOKEN; without one in the settings, nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 -- DRF names it
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        expected = settings.STAFF_TOKEN
        return bool(expected) and scheme == "Bearer" and constant_time_compare(token, expected)
