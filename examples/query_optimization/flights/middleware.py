"""Staff are told in the answer what it cost (Server-Timing, W3C)."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from plans.capture import captured

from .permissions import is_staff


class TellQueries:
    """Middleware: counts the statements of a request of staff."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_staff(request.headers):  # what a query costs tells a stranger where to hit
            return self.get_response(request)
        with captured() as found:
            answer = self.get_response(request)
        answer["Server-Timing"] = f'db;desc="{len(found)} queries"'
        return answer
