"""The limiter as middleware: limits paths by their prefix, and reports every decision."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from . import configured
from .callers import client_of
from .limited import annotate, charge, made, refuse


class TokenBucketMiddleware:
    """Refuse a request to a limited path before its view is called.

    Not before: who is behind a session is known then, and a redirect to the path with its slash
    costs no token of its own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        if decisions := made(request):  # here, by a throttle or by a decorator
            annotate(answer, *decisions)
        return answer

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        if rules := rules_for(request.path_info):
            limiter = configured.limiter(rules)
            decision = charge(request, limiter, client_of)
            if not decision.allowed:
                return refuse(limiter.rules, decision)
        return None


def rules_for(path: str) -> str | None:
    """Return the rule set of the longest prefix that is configured for a path."""
    found = [prefix for prefix in settings.LIMITED_PATHS if path.startswith(prefix)]
    return settings.LIMITED_PATHS[max(found, key=len)] if found else None
