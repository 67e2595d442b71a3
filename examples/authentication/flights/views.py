"""What belongs to no variant: their list, health, and the answer to a path that leads nowhere."""

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse, JsonResponse

from .problems import problem
from .variants import VARIANTS


@non_atomic_requests
def index(_request: HttpRequest) -> JsonResponse:
    """List the variants with the paths of their endpoints."""
    variants = [
        {
            "name": each.name,
            "about": each.about,
            "paths": [f"/api/{each.name}/{url.pattern}" for url in each.urls],
        }
        for each in VARIANTS
    ]
    return JsonResponse({"variants": variants})


@non_atomic_requests
def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    return problem(404, "No such path; see /api/")
