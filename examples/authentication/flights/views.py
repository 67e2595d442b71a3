"""What belongs to no variant: their list, and health."""

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, JsonResponse

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
