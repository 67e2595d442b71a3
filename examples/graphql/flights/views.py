"""What is no GraphQL: the list of variants, and whether this process serves."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from .variants import VARIANTS


@require_safe
def index(_request: HttpRequest) -> JsonResponse:
    """GET: the variants, where each is asked by POST, and how it is asked for a page."""
    variants = [
        {"name": each.name, "about": each.about, "path": f"/api/{each.name}/", "page": each.page}
        for each in VARIANTS
    ]
    return JsonResponse({"variants": variants})


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})
