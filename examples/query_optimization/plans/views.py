"""What the database does for a path, shown to staff."""

from dataclasses import asdict
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve
from flights import schema
from flights.problems import BadInput
from flights.views import IsStaff
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .capture import captured
from .catalogue import CATALOGUE
from .explain import explain

MOST_PLANS = 10  # different statements explained for one path


@schema.plans
class Plans(APIView):
    """GET ?path=/api/naive/board/?...: what that path asks of the database, and how it is done."""

    permission_classes = (IsStaff,)

    def get(self, request: Request) -> Response:
        path = str(request.GET.get("path", ""))
        with captured(keep=True) as found:
            answer = self._answer(request, path)
        different = list({each.template: each for each in found.statements}.values())
        plans = [(each, explain(each)) for each in different[:MOST_PLANS]]
        return Response(
            {
                "path": path,
                "status": answer.status_code,
                "queries": found.queries,
                "different": len(different),
                "plans": [
                    {
                        "sql": statement.sql,
                        "buffers": plan.buffers,
                        "rows_removed": plan.rows_removed,
                        "heap_fetches": plan.heap_fetches,
                        "indexes": sorted(plan.indexes),
                        "tree": plan.tree().splitlines(),
                        "plan": plan.root,
                    }
                    for statement, plan in plans
                ],
            }
        )

    def _answer(self, request: Request, path: str) -> HttpResponse:
        parts = urlsplit(path)
        try:
            match = resolve(parts.path)
        except Resolver404:
            raise BadInput("path: leads nowhere") from None
        if not parts.path.startswith("/api/") or parts.path.endswith("/plans/"):
            raise BadInput("path: not a list of this service")
        asked = HttpRequest()
        asked.method, asked.path = "GET", parts.path
        asked.META = request.META.copy()
        asked.GET = QueryDict(parts.query)
        answer: HttpResponse = match.func(asked, *match.args, **match.kwargs)
        return answer.render() if hasattr(answer, "render") else answer


@schema.catalogue
class Catalogue(APIView):
    """GET: the indexes and what they are for."""

    permission_classes = (IsStaff,)

    def get(self, _request: Request) -> Response:
        return Response({"indexes": [asdict(entry) for entry in CATALOGUE]})
