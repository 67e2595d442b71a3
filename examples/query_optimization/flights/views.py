"""The endpoints: one view for all lists and variants, one that only takes time, and what staff read."""

from dataclasses import asdict

from django.db import connections
from django.http import HttpRequest, JsonResponse
from plans.of_path import explained
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .asked import LongAsked
from .catalogue import CATALOGUE
from .lists import LISTS, List
from .permissions import IsStaff
from .variants import VARIANTS, Queries


class ListView(APIView):
    """One list as one variant asks for it."""

    # Given to `as_view`; an instance is made for each request.
    list: List = LISTS[0]
    queries: Queries = VARIANTS[0].queries

    def get(self, request: Request) -> Response:
        asked = self.list.asked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(self.list.answer(self.queries, asked.validated_data))


class Long(APIView):
    """A query that takes as long as told: what a report without an index is to the pool."""

    permission_classes = (IsStaff,)
    queries: Queries = VARIANTS[0].queries

    def get(self, request: Request) -> Response:
        asked = LongAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        with connections[self.queries.database].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [asked.validated_data["seconds"]])
        return Response({"seconds": asked.validated_data["seconds"]})


class Index(APIView):
    """GET: the variants, each with its lists and an example of each."""

    def get(self, _request: Request) -> Response:
        found = [
            {
                "name": variant.name,
                "about": variant.about,
                "lists": [
                    {
                        "name": each.name,
                        "about": each.about,
                        "path": f"/api/{variant.name}/{each.name}/",
                        "example": f"/api/{variant.name}/{each.name}/?{each.example}".rstrip("?"),
                        "rows": each.rows,
                    }
                    for each in LISTS
                ],
            }
            for variant in VARIANTS
        ]
        return Response({"variants": found})


class Plans(APIView):
    """GET ?path=/api/naive/board/?...: what that path asks of the database, and how it is done."""

    permission_classes = (IsStaff,)

    def get(self, request: Request) -> Response:
        found = explained(str(request.GET.get("path", "")))
        plans = [
            {
                "sql": each.statement.sql,
                "times": each.times,
                "buffers": each.plan.buffers,
                "indexes": sorted(each.plan.indexes),
                "tree": each.tree().splitlines(),
                "plan": each.plan.root,
            }
            for each in found
        ]
        return Response({"queries": sum(each.times for each in found), "plans": plans})


class Catalogue(APIView):
    """GET: the indexes and what they are for."""

    permission_classes = (IsStaff,)

    def get(self, _request: Request) -> Response:
        return Response({"indexes": [asdict(entry) for entry in CATALOGUE]})


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})
