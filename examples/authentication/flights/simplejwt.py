"""djangorestframework-simplejwt with rotation and its blacklist, as its documentation sets it up."""

from typing import Any

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.views import (
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
)

from .tokens import asked

Login, Refresh, Logout = TokenObtainPairView, TokenRefreshView, TokenBlacklistView


class Me(APIView):
    authentication_classes = (JWTAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.pk})


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
