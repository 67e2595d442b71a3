"""Every request is counted; staff are told in the answer (Server-Timing, W3C) what it cost."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from flights.views import is_staff

from .capture import captured
from .metrics import QUERIES, SECONDS


class CountQueries:
    """Middleware: counts the statements of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with captured() as found:
            answer = self.get_response(request)
        if (match := request.resolver_match) and match.route.startswith("api/"):
            QUERIES.labels(match.route).observe(found.queries)
            SECONDS.labels(match.route).observe(found.seconds)
            if is_staff(request.headers):  # what a query costs tells a stranger where to hit
                milliseconds = found.seconds * 1_000
                answer["Server-Timing"] = (
                    f'db;dur={milliseconds:.1f};desc="{found.queries} queries"'
                )
        return answer
