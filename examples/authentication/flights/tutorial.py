"""PyJWT by hand, as guides do it: one key, HS256, and a list of the tokens that were logged out."""

import hashlib
import time
from collections.abc import Callable
from typing import Any

import jwt
from django.contrib.auth import authenticate, get_user_model
from django.urls import URLPattern, path
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import configured
from .asked import asked
from .identity import OPENS_NOTHING, BearerAuthentication, Me
from .models import Denied
from .tokens import NO_ACCOUNT

ALGORITHM, SECONDS = "HS256", 300


def key() -> str:
    return configured.key_file().keys().signing.seed


def issue(user: int) -> str:
    said = {"user_id": user, "exp": int(time.time()) + SECONDS}
    return jwt.encode(said, key(), ALGORITHM)


def user_of(token: str) -> int | None:
    """Return the user of a token that is signed, and not on the list."""
    if Denied.objects.filter(digest=digest(token)).exists():
        return None
    try:
        return int(jwt.decode(token, key(), algorithms=[ALGORITHM])["user_id"])
    except (jwt.PyJWTError, KeyError):
        return None


def log_out(token: str) -> None:
    Denied.objects.get_or_create(digest=digest(token))


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def endpoints(
    issue: Callable[[int], str],
    user_of: Callable[[str], int | None],
    log_out: Callable[[str], None],
) -> list[URLPattern]:
    """Return login, logout and who asks, of tokens that three functions make and read."""

    class ByHand(BearerAuthentication):
        def authenticate_credentials(self, key: str) -> tuple[Any, None]:
            pk = user_of(key)
            user = pk and get_user_model().objects.filter(pk=pk, is_active=True).first()
            if not user:
                raise AuthenticationFailed(OPENS_NOTHING)
            return user, None

    class Login(APIView):
        def post(self, request: Request) -> Response:
            name, password = asked(request, "username", "password")
            user: Any = authenticate(request._request, username=name, password=password)
            if user is None:
                raise AuthenticationFailed(NO_ACCOUNT)
            return Response({"access": issue(user.pk)})

    class Known(Me):
        authentication_classes = (ByHand,)

    class Logout(Known):
        def post(self, request: Request) -> Response:
            log_out(request.headers["Authorization"].partition(" ")[2])
            return Response(status=204)

    views = {"login": Login, "me": Known, "logout": Logout}
    return [path(f"{name}/", view.as_view()) for name, view in views.items()]
