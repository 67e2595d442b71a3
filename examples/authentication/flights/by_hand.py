"""Login, logout and who asks, of tokens that two or three functions make and read."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import authenticate
from django.urls import URLPattern, path
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .asked import asked
from .identity import Me, by


def endpoints(
    issue: Callable[[int], str],
    user_of: Callable[[str], int | None],
    log_out: Callable[[str], None],
) -> list[URLPattern]:
    class Login(APIView):
        def post(self, request: Request) -> Response:
            name, password = asked(request, "username", "password")
            user: Any = authenticate(request._request, username=name, password=password)
            if user is None:
                raise AuthenticationFailed("No active account with these credentials")
            return Response({"access": issue(user.pk)})

    class Known(Me):
        authentication_classes = (by(user_of),)

    class Logout(Known):
        def post(self, request: Request) -> Response:
            log_out(request.headers["Authorization"].partition(" ")[2])
            return Response(status=204)

    views = {"login": Login, "me": Known, "logout": Logout}
    return [path(f"{name}/", view.as_view()) for name, view in views.items()]
