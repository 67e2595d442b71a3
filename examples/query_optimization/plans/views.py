"""What the database does for a path, shown to staff."""

from dataclasses import asdict

from flights import schema
from flights.views import IsStaff
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .catalogue import CATALOGUE
from .of_path import cost


@schema.plans
class Plans(APIView):
    """GET ?path=/api/naive/board/?...: what that path asks of the database, and how it is done."""

    permission_classes = (IsStaff,)

    def get(self, request: Request) -> Response:
        path = str(request.GET.get("path", ""))
        found = cost(path, request.META)
        return Response(
            {
                "path": path,
                "status": found.status,
                "queries": found.queries,
                "different": found.different,
                "plans": [
                    {
                        "sql": each.statement.sql,
                        "times": each.times,
                        "buffers": each.plan.buffers,
                        "rows_removed": each.plan.rows_removed,
                        "heap_fetches": each.plan.heap_fetches,
                        "indexes": sorted(each.plan.indexes),
                        "tree": each.plan.tree().splitlines(),
                        "plan": each.plan.root,
                    }
                    for each in found.plans
                ],
            }
        )


@schema.catalogue
class Catalogue(APIView):
    """GET: the indexes and what they are for."""

    permission_classes = (IsStaff,)

    def get(self, _request: Request) -> Response:
        return Response({"indexes": [asdict(entry) for entry in CATALOGUE]})
