"""The endpoints; how a page is found is the business of `variants`."""

import re
from dataclasses import replace
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .edge import surrogate_key
from .edits import WAYS
from .models import Airport
from .permissions import IsStaff
from .problems import problem
from .variants import VARIANTS, Found, Variant

CODE: Final = re.compile(r"[A-Z0-9_-]{1,8}")  # nothing else is a key of the table, or of a cache
LONGEST_NAME: Final = 200


class Page(APIView):
    """A page of one variant; `ConditionalGetMiddleware` answers 304 to whoever has these bytes."""

    variant: Variant = VARIANTS[0]
    page: str = ""

    def get(self, request: Request, code: str) -> HttpResponse:
        code = code.upper()
        nearest = "no-cache" not in request.headers.get("Cache-Control", "")
        found = self.variant.find(self.page, code, nearest) if CODE.fullmatch(code) else Found(b"")
        if not found.data:
            return for_caches(request, problem(404, "No such airport"), found)
        if IsStaff().has_permission(request, self):
            found = for_staff(found, code)
        response = HttpResponse(found.data, content_type="application/json")
        return for_caches(request, response, found)


def for_caches(request: Request, response: HttpResponse, found: Found) -> HttpResponse:
    """Say what caches on the way may do with it, and what voids it."""
    patch_vary_headers(response, ["Authorization"])
    if found.source:
        response["Cache-Status"] = f"nexus; detail={found.source}"  # RFC 9211
        private = "Authorization" in request.headers
        response["Cache-Control"] = "private, no-cache" if private else found.shared
        response["Surrogate-Key"] = surrogate_key(found.tags)
    return response


def for_staff(found: Found, code: str) -> Found:
    """Add what nobody else may see: where the airport is edited."""
    extra = b', "edits": "/api/airports/%s/edits/"}' % code.encode()
    return replace(found, data=found.data[:-1] + extra)


class Edits(APIView):
    """An operator renames an airport, in one of the ways in which code does that."""

    permission_classes = (IsStaff,)

    def post(self, request: Request, code: str) -> HttpResponse:
        name, how = request.query_params.get("name", ""), request.query_params.get("how", "save")
        if not 0 < len(name) <= LONGEST_NAME or "\0" in name or how not in WAYS:
            return problem(400, "An edit has a name and a way", ways=sorted(WAYS))
        if not CODE.fullmatch(code) or not Airport.objects.filter(code=code).exists():
            return problem(404, "No such airport")
        WAYS[how](code, name)
        version = Airport.objects.values_list("version", flat=True).get(code=code)
        return JsonResponse({"code": code, "version": version})


class Index(APIView):
    def get(self, _request: Request) -> Response:
        return Response(
            {
                "variants": [
                    {"name": each.name, "about": each.about, "paths": each.paths}
                    for each in VARIANTS
                ]
            }
        )


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; Redis has no say, for the pages live without it."""
    return JsonResponse({"status": "ok"})
