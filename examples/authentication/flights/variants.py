"""The ways to know who asks, by name: naive ones, what is commonly installed, and the solution last."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import URLPattern, path
from rest_framework.routers import SimpleRouter
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.views import (
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
)

from . import configured, is_owner, tokens, tutorial
from .bookings import Bookings, Flights
from .identity import Session, SessionSetting

type Urls = Sequence[URLPattern]


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    about: str
    urls: Urls


def routed(bookings: type[Bookings], flights: type[Flights], **initial: Any) -> list[URLPattern]:
    router = SimpleRouter(use_regex_path=False)
    router.register("bookings", type("Bookings", (bookings,), initial), "booking")
    router.register("flights", type("Flights", (flights,), initial), "flight")
    return [url for url in router.urls if isinstance(url, URLPattern)]


def each_statement(urls: Urls) -> Urls:
    """Leave every statement of these views to itself, as everywhere else: no transaction for the request."""
    for url in urls:
        transaction.non_atomic_requests(url.callback)
    return urls


def refreshed(retry_seconds: float) -> Urls:
    """Return the two endpoints that give out tokens; what a refusal writes is not to be rolled back."""
    families = configured.families(retry_seconds)
    views = {"login": tokens.Login, "refresh": tokens.Refresh}
    return each_statement(
        [path(f"{name}/", view.as_view(families=families)) for name, view in views.items()]
    )


def of_tokens() -> Urls:
    views = {"me": tokens.Me, "logout": tokens.Logout, "password": tokens.Password}
    return [path(f"{name}/", view.as_view()) for name, view in views.items()]


def of_simplejwt() -> Urls:
    """Return the endpoints as the library's documentation sets them up, and two of ours that ask it."""
    known = {"authentication_classes": [JWTAuthentication]}
    each = [
        path("login/", TokenObtainPairView.as_view()),
        path("refresh/", TokenRefreshView.as_view()),
        path("logout/", TokenBlacklistView.as_view()),
        path("me/", tokens.Me.as_view(**known)),
    ]
    return [*each_statement(each), path("password/", tokens.Password.as_view(**known))]


def solution() -> Urls:
    keys = each_statement([path("keys/", tokens.PublicKeys.as_view())])  # it asks no database
    bookings = routed(Bookings, Flights, authentication_classes=[Session])
    return [*refreshed(10), *of_tokens(), *keys, *bookings]


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "tutorial",
        "PyJWT by hand: one key, HS256, a list of the tokens that were logged out",
        each_statement(tutorial.endpoints(tutorial.issue, tutorial.user_of, tutorial.log_out)),
    ),
    Variant(
        "is_owner",
        "permissions on objects as in REST framework's tutorial, with simplejwt's tokens",
        each_statement(routed(is_owner.OwnedBookings, is_owner.FilteredFlights)),
    ),
    Variant(
        "session_setting",
        "policies that read a setting of the connection",
        each_statement(
            routed(Bookings, Flights, using="setting", authentication_classes=[SessionSetting])
        ),
    ),
    Variant(
        "strict_reuse",
        "refresh families that end at the first token used twice",
        [*refreshed(0), *of_tokens()],
    ),
    Variant(
        "simplejwt",
        "djangorestframework-simplejwt with rotation and blacklist",
        of_simplejwt(),
    ),
    Variant(
        "sessions",
        "refresh families, keys in four states, and policies that know who asks until the commit",
        solution(),
    ),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    VARIANTS += (Variant("mine", "your own", mine.urls),)
