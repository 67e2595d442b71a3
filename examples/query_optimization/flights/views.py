"""The endpoints: one view for all lists and variants, what there is, and what staff read."""

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from plans.of_path import explained
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

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


class Index(APIView):
    """GET: the variants, each with its lists and an example of each; the indexes and what they are for."""

    def get(self, _request: Request) -> Response:
        found = [
            {
                "name": variant.name,
                "about": variant.about,
                "lists": [
                    {
                        "name": each.name,
                        "about": each.about,
                        "example": f"/api/{variant.name}/{each.name}/?{each.example}".rstrip("?"),
                        "rows": each.rows,
                    }
                    for each in LISTS
                ],
            }
            for variant in VARIANTS
        ]
        return Response({"variants": found, "indexes": [asdict(each) for each in CATALOGUE]})


class Plans(APIView):
    """GET ?path=/api/naive/board/?...: what that path asks of the database, and how it is done."""

    permission_classes = (IsStaff,)

    def get(self, request: Request) -> Response:
        found = explained(str(request.GET.get("path", "")))
        plans = [
            {"sql": each.statement.sql, "times": each.times, "plan": each.plan()} for each in found
        ]
        return Response({"queries": sum(each.times for each in found), "plans": plans})


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})
