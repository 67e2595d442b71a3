"""Problem documents for what is not a refused view, and DRF's exception handler."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import Throttled
from rest_framework.views import exception_handler as stock_handler

from .limited import made, problem, refuse


def handler(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """Answer a throttled request exactly as the middleware does; leave all else to DRF."""
    if isinstance(error, Throttled):
        for rules, decision in made(context["request"]._request).items():
            if not decision.allowed:
                return refuse(rules, decision)
    return stock_handler(error, context)


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the one that lists the others."""
    return problem(404, "No such path; see /api/")
