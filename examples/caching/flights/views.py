"""The endpoints; how a page is found is the business of `variants`."""

import re
from dataclasses import replace
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.crypto import constant_time_compare
from django.utils.http import parse_etags
from layers.edge import surrogate_key
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import schema
from .models import Airport
from .problems import problem
from .variants import VARIANTS, Found, Variant

CODE: Final = re.compile(r"[A-Z0-9_-]{1,8}")  # nothing else is a key of the table, or of a cache
MOST_CODES: Final = 100
LONGEST_NAME: Final = 200


class Cached(APIView):
    """A view of one variant."""

    variant: Variant = VARIANTS[0]
    page: str = ""

    def find(self, request: Request, code: str) -> Found:
        """Return the page; one without data if there is no such airport."""
        if not CODE.fullmatch(code):
            return Found(b"")
        nearest = "no-cache" not in request.headers.get("Cache-Control", "")
        return self.variant.find(self.page, code, nearest)


def conditional(request: Request, found: Found) -> HttpResponse:
    """Answer with the page, or with 304 to whoever has this version: nothing is rendered for that."""
    etag = f'"{found.etag}"'
    held = parse_etags(request.headers.get("If-None-Match", ""))
    if found.etag and (etag in held or f"W/{etag}" in held or held == ["*"]):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(found.data, content_type="application/json")
    if found.etag:
        response["ETag"] = etag
    return response


def for_caches(request: Request, response: HttpResponse, found: Found) -> HttpResponse:
    """Say what caches on the way may do with it, and what voids it."""
    patch_vary_headers(response, ["Authorization"])
    if found.source:
        response["Cache-Status"] = f"nexus; detail={found.source}"  # RFC 9211
        private = "Authorization" in request.headers
        response["Cache-Control"] = "private, no-cache" if private else found.shared
        if found.tags:
            response["Surrogate-Key"] = surrogate_key(found.tags)
    return response


def for_staff(found: Found, code: str) -> Found:
    """Add what nobody else may see: where the airport is edited."""
    extra = b', "edits": "/api/airports/%s/edits/"}' % code.encode()
    return replace(found, data=found.data[:-1] + extra, etag=found.etag and f"{found.etag}-staff")


@schema.page
class Page(Cached):
    def get(self, request: Request, code: str) -> HttpResponse:
        code = code.upper()
        found = self.find(request, code)
        if not found.data:
            return for_caches(request, problem(404, "No such airport"), found)
        if IsStaff().has_permission(request, self):
            found = for_staff(found, code)
        return for_caches(request, conditional(request, found), found)


@schema.pages
class Pages(Cached):
    """Several pages in one answer, each found on its own."""

    def get(self, request: Request) -> HttpResponse:
        codes = request.query_params.get("codes", "").upper().split(",")
        if len(codes) > MOST_CODES:
            return problem(400, f"More than {MOST_CODES} codes")
        found = (self.find(request, code) for code in codes)
        data = b", ".join(each.data for each in found if each.data)
        return HttpResponse(b"[" + data + b"]", content_type="application/json")


class IsStaff(BasePermission):
    """Whoever holds the STAFF_TOKEN; without one in the settings, nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 -- DRF names it
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        expected = settings.STAFF_TOKEN
        return bool(expected) and scheme == "Bearer" and constant_time_compare(token, expected)


@schema.edits
class Edits(APIView):
    """An operator renames an airport, in one of the ways in which code does that."""

    permission_classes = (IsStaff,)

    def post(self, request: Request, code: str) -> HttpResponse:
        name, how = request.query_params.get("name", ""), request.query_params.get("how", "save")
        if not 0 < len(name) <= LONGEST_NAME or "\0" in name or how not in EDITS:
            return problem(400, "An edit has a name and a way", ways=sorted(EDITS))
        if not CODE.fullmatch(code) or not Airport.objects.filter(code=code).exists():
            return problem(404, "No such airport")
        EDITS[how](code, name)
        version = Airport.objects.values_list("version", flat=True).get(code=code)
        return JsonResponse({"code": code, "version": version})


class RolledBack(Exception):
    """An edit that was only tried."""


def save(code: str, name: str) -> None:
    with transaction.atomic():
        airport = Airport.objects.get(code=code)
        airport.name = name
        airport.save(update_fields=["name"])


def update(code: str, name: str) -> None:
    """The way that sends no signal."""
    Airport.objects.filter(code=code).update(name=name)


def preview(code: str, name: str) -> None:
    """Try the edit, and take all of it back."""
    try:
        with transaction.atomic():
            save(code, name)
            raise RolledBack
    except RolledBack:
        pass


def partial(code: str, name: str) -> None:
    """Try the edit, take it back to the savepoint before it, and commit the rest: nothing."""
    with transaction.atomic():
        preview(code, name)


EDITS = {each.__name__: each for each in (save, update, preview, partial)}


@schema.index
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


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, "No such path; see /api/", variants=[each.name for each in VARIANTS])


def urls() -> list[tuple[str, Any]]:
    """Return every variant's paths with their views."""
    found: list[tuple[str, Any]] = []
    for each in VARIANTS:
        base = f"{each.name}/airports/"
        for page, end in (("airport", ""), ("alternates", "alternates/")):
            view = Page.as_view(variant=each, page=page)
            found.append((f"{base}<str:code>/{end}", each.wrap(page)(view)))
        found.append((f"{each.name}/pages/", Pages.as_view(variant=each, page="airport")))
    return found
