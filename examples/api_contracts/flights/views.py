"""What is no variant's: the list of variants, contracts that are files, and whether this process serves."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from .configured import contract
from .variants import VARIANTS, Variant

METHODS = ("get", "post", "put", "patch", "delete")


@require_safe
def index(_request: HttpRequest) -> JsonResponse:
    """GET: the variants, and every route that they have: what their contracts have to name."""
    variants = [
        {
            "name": each.name,
            "about": each.about,
            "path": f"/api/{each.name}/flights/",
            "schema": f"/api/{each.name}/schema/",
            "routes": list(routes(each.urlpatterns)),
        }
        for each in VARIANTS
    ]
    return JsonResponse({"variants": variants})


def routes(patterns: Sequence[Any]) -> Iterator[str]:
    """Yield `GET /flights/` and so on."""
    for each in patterns:
        view = each.callback
        # Of a view set: which methods this route has, and `head` once somebody has asked.
        actions = getattr(view, "actions", None)
        for method in METHODS:
            if method in actions if actions else hasattr(view.cls, method):
                yield f"{method.upper()} /{each.pattern}"


@require_safe
def document(_request: HttpRequest, variant: Variant) -> JsonResponse:
    """GET: the contract, as it was written before the code."""
    written = contract(str(variant.release)).document
    return JsonResponse({**written, "servers": [{"url": f"/api/{variant.name}"}]})


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; the database has no say, or its pause would restart everything."""
    return JsonResponse({"status": "ok"})
