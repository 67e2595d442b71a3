"""Login, refresh, logout, another password, who asks, and the public keys: the endpoints of the solution."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.db import connection
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, Serializer
from rest_framework.views import APIView
from sessions.access import Refused
from sessions.family import Families, Issued
from sessions.gate import Busy

from . import configured
from .identity import Session


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


def asked(request: Request, *names: str) -> list[str]:
    """Return the texts that a body has to have under these names, each of at most 4,096 characters."""
    fields = {name: CharField(max_length=4096, trim_whitespace=False) for name in names}
    form = type("Form", (Serializer,), fields)(data=request.data)
    form.is_valid(raise_exception=True)
    return [form.validated_data[name] for name in names]


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
            raise AuthenticationFailed("No active account with these credentials")
        return pair(self.families.begin(connection, user.pk))


class Refresh(Login):
    def post(self, request: Request) -> Response:
        try:
            return pair(self.families.refresh(connection, *asked(request, "refresh")))
        except Refused:
            raise AuthenticationFailed("The token opens nothing") from None


class OfSession(APIView):
    authentication_classes = (Session,)
    permission_classes = (IsAuthenticated,)


class Me(OfSession):
    def get(self, request: Request) -> Response:
        return Response({"user": request.user.pk})


class Logout(OfSession):
    def post(self, request: Request) -> Response:
        caller: Any = request.user
        configured.families().revoke(connection, session=caller.session)
        return Response(status=204)


class Password(OfSession):
    def post(self, request: Request) -> Response:
        """Set another password, and end every session of the user."""
        old, new = asked(request, "old", "new")
        caller: Any = request.user
        user = get_user_model().objects.get(pk=caller.pk)
        with gate():
            if not user.check_password(old):
                raise AuthenticationFailed("No active account with these credentials")
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
