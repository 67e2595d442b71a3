"""Login, refresh, logout, another password, who asks, and the public keys: the endpoints of the solution."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.db import connection
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from sessions.access import Refused
from sessions.family import Families, Issued
from sessions.gate import Busy

from . import configured, identity
from .asked import asked
from .identity import Session

NO_ACCOUNT = "No active account with these credentials"


class Later(APIException):
    """The gate has no place."""

    status_code, wait = 503, 1
    default_detail = "Others are signing in; come back in a second"


@contextmanager
def gate() -> Iterator[None]:
    try:
        with configured.gate().passed():
            yield
    except Busy:
        raise Later from None


def pair(issued: Issued) -> Response:
    said = {"access": configured.access().sign(issued.claims), "refresh": issued.refresh}
    return Response(said, headers={"Cache-Control": "no-store"})


class Login(APIView):
    families: Families = configured.families()

    def get_authenticate_header(self, _request: Request) -> str:
        return "Bearer"  # without it a refusal would be a 403

    def post(self, request: Request) -> Response:
        name, password = asked(request, "username", "password")
        with gate():
            user = authenticate(request._request, username=name, password=password)
        if user is None:
            raise AuthenticationFailed(NO_ACCOUNT)
        try:
            return pair(self.families.begin(connection, user.pk, user.password))
        except Refused:
            raise AuthenticationFailed(NO_ACCOUNT) from None


class Refresh(Login):
    def post(self, request: Request) -> Response:
        try:
            return pair(self.families.refresh(connection, *asked(request, "refresh")))
        except Refused:
            raise AuthenticationFailed("The token opens nothing") from None


class Me(identity.Me):
    authentication_classes = (Session,)


class Logout(Me):
    def post(self, request: Request) -> Response:
        caller: Any = request.user
        configured.families().revoke(connection, session=caller.session)
        return Response(status=204)


class Password(Me):
    def post(self, request: Request) -> Response:
        """Set another password, and end every session of the user."""
        old, new = asked(request, "old", "new")
        caller: Any = request.user
        with gate():
            # Of two changes at once the second one has to find the password of the first.
            user = get_user_model().objects.select_for_update().get(pk=caller.pk)
            if not user.check_password(old):
                raise AuthenticationFailed(NO_ACCOUNT)
            user.set_password(new)
        user.save(update_fields=["password"])
        configured.families().revoke(connection, user=user.pk)
        return Response(status=204)


class PublicKeys(APIView):
    def get(self, _request: Request) -> Response:
        """The keys with which others verify (RFC 7517); who caches them asks again in five minutes."""
        verifying = configured.key_file().keys().verifying.values()
        keys = [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": key.kid, "x": key.public}
            for key in verifying
        ]
        return Response({"keys": keys}, headers={"Cache-Control": "max-age=300"})
