"""djangorestframework-simplejwt with rotation and its blacklist, as its documentation sets it up."""

from typing import Any

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.views import TokenBlacklistView as Logout
from rest_framework_simplejwt.views import TokenObtainPairView as Login
from rest_framework_simplejwt.views import TokenRefreshView as Refresh

from . import identity
from .asked import asked

__all__ = ["Login", "Logout", "Me", "Password", "Refresh"]


class Me(identity.Me):
    authentication_classes = (JWTAuthentication,)


class Password(Me):
    def post(self, request: Request) -> Response:
        """Set another password."""
        user: Any = request.user
        old, new = asked(request, "old", "new")
        if not user.check_password(old):
            raise AuthenticationFailed("No active account with these credentials")
        user.set_password(new)
        user.save(update_fields=["password"])
        return Response(status=204)
