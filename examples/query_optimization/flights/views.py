"""The endpoints: one view for all lists and variants, and one that only takes time."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.crypto import constant_time_compare
from queries.variants import VARIANTS
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import schema
from .asked import AirportAsked, ExportAsked, LongAsked
from .lists import LISTS, List, known
from .problems import problem


def is_staff(headers: Mapping[str, str]) -> bool:
    """Whether the sender holds the STAFF_TOKEN; without one in the settings, nobody does."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    expected = settings.STAFF_TOKEN
    return bool(expected) and scheme == "Bearer" and constant_time_compare(token, expected)


class IsStaff(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 -- DRF names it
        return is_staff(request.headers)


class ListView(APIView):
    """One list as one variant asks for it."""

    list: ClassVar[List]
    queries: ClassVar[ModuleType]

    def get(self, request: Request) -> Response:
        asked = self.list.asked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(self.list.answer(self.queries, asked.validated_data))


@schema.long
class Long(APIView):
    """A query that takes as long as told: what a report without an index is to the pool."""

    permission_classes = (IsStaff,)
    queries: ClassVar[ModuleType]

    def get(self, request: Request) -> Response:
        asked = LongAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        with connections[self.queries.DATABASE].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [asked.validated_data["seconds"]])
        return Response({"seconds": asked.validated_data["seconds"]})


@schema.views
class Views(APIView):
    """How often an airport's board was looked at: read with GET, one more with POST."""

    queries: ClassVar[ModuleType]

    def get(self, request: Request) -> Response:
        return Response(self._answer(self._origin(request)))

    def post(self, request: Request) -> Response:
        origin = self._origin(request)
        self.queries.viewed(origin)
        return Response(self._answer(origin))

    def _origin(self, request: Request) -> str:
        asked = AirportAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        origin: str = asked.validated_data["origin"]
        known(self.queries, origin)
        return origin

    def _answer(self, origin: str) -> dict[str, Any]:
        return {"airport": origin, "views": self.queries.views(origin)}


@schema.export
class Export(APIView):
    """All flights as CSV, as fast as the client reads; for staff, since a connection is lent so long."""

    permission_classes = (IsStaff,)
    queries: ClassVar[ModuleType]

    def get(self, request: Request) -> StreamingHttpResponse:
        asked = ExportAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows = self.queries.export(asked.validated_data["rows"])
        return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")


@schema.index
class Index(APIView):
    def get(self, _request: Request) -> Response:
        return Response(
            {
                "variants": [
                    {
                        "name": name,
                        "about": (queries.__doc__ or "").partition("\n")[0],
                        "lists": [
                            {
                                "name": each.name,
                                "about": each.about,
                                "path": f"/api/{name}/{each.name}/",
                                "example": f"/api/{name}/{each.name}/?{each.example}".rstrip("?"),
                                "rows": each.rows,
                            }
                            for each in LISTS
                        ],
                    }
                    for name, queries in VARIANTS.items()
                ]
            }
        )


def views(name: str, queries: ModuleType) -> dict[str, Any]:
    """Return the views of a variant, by path below it."""
    found = {
        f"{each.name}/": schema.of(each)(
            made(f"{name}_{each.name}", ListView, list=each, queries=queries)
        ).as_view()
        for each in LISTS
    }
    others = {"views/": Views, "export/": Export, "long/": Long}
    return found | {
        path: made(f"{name}_{view.__name__.lower()}", view, queries=queries).as_view()
        for path, view in others.items()
    }


def made(name: str, view: type[APIView], **attributes: Any) -> type[APIView]:
    """Return a view class of its own, since the documentation of each is kept on its class."""
    return type(name, (view,), {"__doc__": view.__doc__, **attributes})


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, "No such path; see /api/", variants=list(VARIANTS))
