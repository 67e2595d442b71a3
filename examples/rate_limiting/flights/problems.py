"""DRF's exception handler, which answers a throttled request with a problem document."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.exceptions import Throttled
from rest_framework.views import exception_handler as stock_handler

from .limited import made, refuse


def handler(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """Answer a throttled request exactly as the middleware does; leave all else to DRF."""
    if isinstance(error, Throttled):
        refused = [each for each in made(context["request"]._request) if not each[1].allowed]
        if refused:  # by several, perhaps: the wait has to be long enough for each
            return refuse(*max(refused, key=lambda each: each[1].retry_after_us))
    return stock_handler(error, context)
