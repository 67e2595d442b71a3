"""Each answer says which release gave it: a deployment is judged by what clients got."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

FIELD = "X-Release"


class SayRelease:
    """Add the number of the release, to errors as well: it stands before all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        answer[FIELD] = settings.RELEASE
        return answer
