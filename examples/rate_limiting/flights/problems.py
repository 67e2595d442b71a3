"""DRF's exception handler, which answers a throttled request with a problem document."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.exceptions import Throttled
from rest_framework.views import exception_handler as stock_handler

from .limited import made, refuse


def handler(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """Answer a throttled request exactly as the middleware does; leave all else to DRF."""
    if isinstance(error, Throttled):
        for rules, decision in made(context["request"]._request).items():
            if not decision.allowed:
                return refuse(rules, decision)
    return stock_handler(error, context)
