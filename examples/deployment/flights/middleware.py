"""What stands before everything else: the number of the release, and the answer to a proxy's probe."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .views import health

FIELD = "X-Release"

type Answering = Callable[[HttpRequest], HttpResponseBase]


def say_release(get_response: Answering) -> Answering:
    """Add the number of the release to each answer: a deployment is judged by what clients got."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response[FIELD] = settings.RELEASE
        return response

    return answer


def answer_probes(get_response: Answering) -> Answering:
    """Answer /healthz before ALLOWED_HOSTS and the redirect to HTTPS: a probe asks by address, over HTTP."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        return health(request) if request.path == "/healthz" else get_response(request)

    return answer
