"""The peers as routes of one project: the example's own variants, knox, allauth, and Django's sessions."""

from collections.abc import Callable
from typing import Any

from allauth.account.middleware import AccountMiddleware
from allauth.headless.account.views import LoginView
from allauth.headless.constants import Client
from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from allauth.headless.tokens.views import RefreshTokenView
from config.urls import urlpatterns as example
from django.contrib.auth import authenticate, login
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db.transaction import non_atomic_requests
from django.urls import path
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_exempt
from flights.asked import asked
from flights.identity import Me
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

in_session = decorator_from_middleware(SessionMiddleware)
with_user = decorator_from_middleware(AuthenticationMiddleware)


def user_of(request: Request) -> Any:
    name, password = asked(request, "username", "password")
    return authenticate(request._request, username=name, password=password)


class KnoxLogin(APIView):
    def post(self, request: Request) -> Response:
        return Response({"access": AuthToken.objects.create(user_of(request))[1]})


class KnoxMe(Me):
    authentication_classes = (TokenAuthentication,)


class AllauthMe(Me):
    authentication_classes = (JWTTokenAuthentication,)


class SessionLogin(APIView):
    def post(self, request: Request) -> Response:
        login(request._request, user_of(request))
        return Response({"signed_in": True})


class SessionMe(Me):
    authentication_classes = (SessionAuthentication,)


def beside(view: type[APIView]) -> Any:
    """Return a view whose statements are each for themselves, as is Django's default."""
    return non_atomic_requests(view.as_view())


def in_a_session(view: Callable[..., Any]) -> Any:
    return non_atomic_requests(in_session(with_user(view)))


def of_allauth(view: Callable[..., Any]) -> Any:
    """Return a view of allauth within the middleware that it asks for, which its peers do not need."""
    return csrf_exempt(in_a_session(AccountMiddleware(view)))


urlpatterns = [
    *example,
    path("api/knox/login/", beside(KnoxLogin)),
    path("api/knox/me/", beside(KnoxMe)),
    path("api/allauth/login/", of_allauth(LoginView.as_api_view(client=Client.APP))),
    path("api/allauth/refresh/", of_allauth(RefreshTokenView.as_api_view(client=Client.APP))),
    path("api/allauth/me/", of_allauth(AllauthMe.as_view())),
    path("api/django/login/", in_a_session(SessionLogin.as_view())),
    path("api/django/me/", in_a_session(SessionMe.as_view())),
]
