"""Who asks: what the solution reads of a request, and the setting that outlives it."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, connections
from rest_framework.authentication import TokenAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from sessions.access import Claims, Refused
from sessions.scope import enter

from . import configured

OPENS_NOTHING = "The token opens nothing"


@dataclass(frozen=True, slots=True)
class Caller:
    pk: int
    session: str = ""
    is_authenticated: bool = True


class BearerAuthentication(TokenAuthentication):
    """Read `Authorization: Bearer TOKEN`; without it a request is anonymous, with a bad one refused."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        if found is None and get_authorization_header(request):  # of another scheme
            raise AuthenticationFailed(OPENS_NOTHING)
        return found


class Session(BearerAuthentication):
    """The solution: the caller is known to the database for the request's transaction."""

    def authenticate_credentials(self, key: str) -> tuple[Any, None]:
        try:
            claims = configured.access().read(key)
            self.known(claims)
        except Refused:
            raise AuthenticationFailed(OPENS_NOTHING) from None
        return Caller(claims.user, claims.session), None

    def known(self, claims: Claims) -> None:
        enter(connection, claims)


class SessionSetting(Session):
    """The same with a setting of the connection, as the guides to policies show it."""

    def known(self, claims: Claims) -> None:
        with connections["setting"].cursor() as cursor:
            cursor.execute("SELECT set_config('app.user', %s, false)", [str(claims.user)])


class Me(APIView):
    """Tell who asks; what else is only for who is somebody begins here."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.pk})
