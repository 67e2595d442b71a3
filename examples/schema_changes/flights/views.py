"""The endpoints: the ways, the table of each as the database has it, and what a failed build has left."""

from typing import Any

from changes.fingerprint import fingerprint
from changes.indexes import failed
from django.db import ProgrammingError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from .problems import problem
from .variants import BY_NAME, VARIANTS


@require_safe
def index(_request: HttpRequest) -> JsonResponse:
    """GET: the variants, and every index of this database that no query can use."""
    with connection.cursor() as cursor:
        left = [each._asdict() for each in failed(cursor)]
    variants = [
        {
            "name": each.name,
            "about": each.about,
            "path": f"/api/{each.name}/",
            "code": [step.code for step in each.steps],
        }
        for each in VARIANTS
    ]
    return JsonResponse({"variants": variants, "failed_builds": left})


@require_safe
def table(_request: HttpRequest, variant: str) -> HttpResponse:
    """GET: the columns, indexes, constraints and triggers of the table of a variant."""
    if variant not in BY_NAME:
        return problem(404, "No such variant; see /api/", variants=list(BY_NAME))
    name = BY_NAME[variant].table
    try:
        with connection.cursor() as cursor:
            schema = fingerprint(cursor, name).schema
    except ProgrammingError:  # of a reader's own, which the release makes if its file can be loaded
        return problem(404, f"The table is not there; `manage.py begin {variant}` makes it")
    told: dict[str, Any] = {"table": name}
    for kind, named, definition, *_ in schema:
        told.setdefault(f"{kind}s", {})[named] = definition
    return JsonResponse(told)


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, "No such path; see /api/", variants=list(BY_NAME))
