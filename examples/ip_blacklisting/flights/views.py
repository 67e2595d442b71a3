"""The flight API behind the guards, and what operators of a variant do: ban, lift, look."""

import os
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Any

import psutil
from bans import wiring
from bans.answers import problem
from bans.permissions import IsStaff
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights.airports import DOCUMENTS, RECORDS
from flights.guards import TakesBans, TakesFeeds
from flights.variants import VARIANTS

CHUNK = 2**16  # bytes


@extend_schema(responses=dict)
class Airport(APIView):
    def get(self, _request: Request, code: str, **_: str) -> HttpResponse:
        if document := DOCUMENTS.get(code.upper()):
            return HttpResponse(document, content_type="application/json")
        return problem(404, "No such airport", codes=sorted(DOCUMENTS))


@extend_schema(responses=dict)
class Search(APIView):
    """Airports by a word of their name or city."""

    def get(self, request: Request, **_: str) -> Response:
        word = request.query_params.get("q", "").casefold()
        found = [each for each in RECORDS if word in f"{each['name']} {each['city']}".casefold()]
        return Response({"airports": [each["code"] for each in found]})


@extend_schema(request=None, responses=dict)
class Login(APIView):
    """HTTP Basic (RFC 7617); the password of every user of this demonstration is their name and `-secret`."""

    def post(self, request: Request, **_: str) -> HttpResponse:
        name, password = _credentials(request.headers.get("Authorization", ""))
        if name and constant_time_compare(password, f"{name}-secret"):
            return JsonResponse({"user": name})
        answer = problem(401, "Wrong name or password")
        answer["WWW-Authenticate"] = 'Basic realm="flights", charset="UTF-8"'
        return answer


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        name, _, password = b64decode(encoded if scheme == "Basic" else "").decode().partition(":")
    except (Base64Error, UnicodeDecodeError, ValueError):
        return "", ""
    return name, password


@extend_schema(request=None, responses=dict)
class Booking(APIView):
    """Accepts a booking and forgets it: what matters is who gets this far."""

    def post(self, _request: Request, **_: str) -> Response:
        return Response({"status": "accepted"}, status=202)


@extend_schema(request=dict, responses=dict)
class Bans(APIView):
    """The list of a variant, as its own means change it."""

    permission_classes = (IsStaff,)

    def post(self, request: Request, variant: str) -> HttpResponse:
        return self._change(variant, "ban", request.data, 201)

    def delete(self, request: Request, variant: str) -> HttpResponse:
        return self._change(variant, "unban", request.query_params, 204)

    def _change(self, variant: str, change: str, given: Any, status: int) -> HttpResponse:
        guard = VARIANTS[variant].guard
        if not isinstance(guard, TakesBans):
            return problem(404, "This variant takes no bans here")
        network = given.get("network", "") if hasattr(given, "get") else ""
        try:
            getattr(guard, change)(str(network))
        except ValueError as error:
            return problem(400, str(error))
        return HttpResponse(status=status)


def lines(request: HttpRequest) -> Iterator[str]:
    """Yield the lines of the body, which is long; what is no UTF-8 is replaced, and so malformed."""
    rest = b""
    while chunk := request.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    yield rest.decode(errors="replace")


@extend_schema(request=dict, responses=dict)
class Feeds(APIView):
    """A list from elsewhere, as plain text: PUT replaces its last version."""

    permission_classes = (IsStaff,)

    def put(self, request: Request, variant: str, name: str) -> HttpResponse | Response:
        guard = VARIANTS[variant].guard
        if not isinstance(guard, TakesFeeds):
            return problem(404, "This variant takes no feeds")
        try:
            return Response(guard.replace(name, lines(request._request)))
        except ValueError as error:
            return problem(422, str(error))

    def delete(self, _request: Request, variant: str, name: str) -> HttpResponse:
        guard = VARIANTS[variant].guard
        if isinstance(guard, TakesFeeds):
            guard.drop(name)
        return HttpResponse(status=204)


@extend_schema(responses=dict)
class State(APIView):
    """What this one process has: ask until every process has answered."""

    permission_classes = (IsStaff,)

    def get(self, _request: Request, **_: str) -> Response:
        follower = wiring.follower()
        memory = psutil.Process().memory_full_info()
        return Response(
            {
                "process": f"{os.uname().nodename}:{os.getpid()}",
                "seq": follower.replica.seq,
                "networks": len(follower.replica.matcher),
                "reloads": follower.reloads,
                "boot_seconds": follower.boot_seconds,
                "resident_bytes": memory.rss,
                "own_bytes": memory.uss,
            }
        )


@extend_schema(responses=dict)
class Index(APIView):
    def get(self, _request: Request) -> Response:
        return Response(
            {
                "variants": [
                    {
                        "name": variant.name,
                        "about": variant.about,
                        "path": f"/api/{variant.name}/airports/{{code}}/",
                    }
                    for variant in VARIANTS.values()
                ]
            }
        )


def health(_request: HttpRequest) -> HttpResponse:
    """Tell that this process has a list to decide by, however old."""
    if wiring.follower().ready.is_set():
        return JsonResponse({"status": "ok"})
    return problem(503, "This process has no list yet")


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, "No such path; see /api/", variants=list(VARIANTS))
