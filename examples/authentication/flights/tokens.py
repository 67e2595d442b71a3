"""Login, refresh, logout, another password, who asks, and the public keys: the endpoints of the solution."""

from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.db import connection
from jwt.algorithms import OKPAlgorithm
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from sessions.access import Refused
from sessions.family import Families, Issued

from . import configured, identity
from .asked import asked
from .identity import OPENS_NOTHING, Session

NO_ACCOUNT = "No active account with these credentials"


def pair(issued: Issued) -> Response:
    said = {"access": configured.access().sign(issued.claims), "refresh": issued.refresh}
    return Response(said, headers={"Cache-Control": "no-store"})


class Login(APIView):
    families: Families = configured.families()

    def get_authenticate_header(self, _request: Request) -> str:
        return "Bearer"  # without it a refusal would be a 403

    def post(self, request: Request) -> Response:
        name, password = asked(request, "username", "password")
        with configured.gate().passed():
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
            raise AuthenticationFailed(OPENS_NOTHING) from None


class Me(identity.Me):
    authentication_classes = (Session,)


class Logout(Me):
    def post(self, request: Request) -> Response:
        caller: Any = request.user
        configured.families().revoke(connection, caller.session)
        return Response(status=204)


class Password(Me):
    def post(self, request: Request) -> Response:
        """Set another password, which ends every session of the user."""
        old, new = asked(request, "old", "new")
        caller: Any = request.user
        with configured.gate().passed():
            # Of two changes at once the second one has to find the password of the first.
            user = get_user_model().objects.select_for_update().get(pk=caller.pk)
            if not user.check_password(old):
                raise AuthenticationFailed(NO_ACCOUNT)
            user.set_password(new)
        user.save(update_fields=["password"])
        return Response(status=204)


class PublicKeys(APIView):
    def get(self, _request: Request) -> Response:
        """The keys with which others verify (RFC 7517); who caches them asks again in five minutes."""
        verifying = configured.key_file().keys().verifying.values()
        keys = [
            {"use": "sig", "kid": key.kid}
            | OKPAlgorithm.to_jwk(key.private.public_key(), as_dict=True)
            for key in verifying
        ]
        return Response({"keys": keys}, headers={"Cache-Control": "max-age=300"})
