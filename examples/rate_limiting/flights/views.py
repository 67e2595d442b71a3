"""The endpoints; which limiter stands before an airport is the business of `variants`."""

from abuse.log import AbuseLog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from edge import configured
from edge.answers import problem
from redis.exceptions import RedisError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import schema
from .airports import DOCUMENTS


@schema.airport
class Airport(APIView):
    def get(self, _request: Request, code: str) -> HttpResponse:
        if document := DOCUMENTS.get(code.upper()):
            return HttpResponse(document, content_type="application/json")
        return problem(404, "No such airport", codes=sorted(DOCUMENTS))


class IsStaff(BasePermission):
    """Whoever holds the STAFF_TOKEN; without one in the settings, nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 -- DRF names it
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        expected = settings.STAFF_TOKEN
        return bool(expected) and scheme == "Bearer" and constant_time_compare(token, expected)


@schema.abuse
class Abuse(APIView):
    permission_classes = (IsStaff,)

    def get(self, _request: Request) -> HttpResponse | Response:
        try:
            return Response({"events": AbuseLog(configured.redis()).latest()})
        except RedisError:
            return problem(503, "The events are in Redis, which does not answer")


@schema.index
class Index(APIView):
    def get(self, _request: Request) -> Response:
        from .variants import VARIANTS  # which imports this module

        return Response({"variants": [variant.describe() for variant in VARIANTS]})


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; Redis has no say, for the limiter lives without it."""
    return JsonResponse({"status": "ok"})


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    from .variants import VARIANTS

    names = [variant.name for variant in VARIANTS]
    return problem(404, "No such path; see /api/", variants=names)
