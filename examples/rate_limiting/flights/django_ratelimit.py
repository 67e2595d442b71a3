"""The decorator of django-ratelimit, as its documentation sets it up.

https://django-ratelimit.readthedocs.io/en/stable/usage.html
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django_ratelimit.decorators import ratelimit

from .airports import Airport

RATES = {"airports": "100/m", "strict": "10/s", "steady": "6/4s", "bulk": "5000/h"}


def view(rules: str) -> Callable[..., Any]:
    decorated: Callable[..., Any] = ratelimit(key="ip", rate=RATES[rules], group=rules)(
        Airport.as_view()
    )
    return decorated


def too_many_requests(_request: HttpRequest, _exception: Exception) -> JsonResponse:
    """Answer for RATELIMIT_VIEW; the exception does not know when to come back."""
    return JsonResponse({"detail": "Too many requests."}, status=429)
