"""What is not limited: the list of variants, and whether this process serves."""

from django.http import HttpRequest, JsonResponse

from .variants import VARIANTS


def index(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"variants": [variant.describe() for variant in VARIANTS]})


def health(_request: HttpRequest) -> JsonResponse:
    """Tell that this process serves; Redis has no say, for the limiter lives without it."""
    return JsonResponse({"status": "ok"})
