"""What stands before everything else: the number of the release, and the answer to a proxy's probe."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

type Answering = Callable[[HttpRequest], HttpResponseBase]


def say_release(get_response: Answering) -> Answering:
    """Add the number of the release to each answer: a deployment is judged by what clients got."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response["X-Release"] = settings.RELEASE
        return response

    return answer


def answer_probes(get_response: Answering) -> Answering:
    """Answer /healthz before ALLOWED_HOSTS and the redirect to HTTPS: a probe asks by address, over HTTP."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path != "/healthz":
            return get_response(request)
        # Where the settings want it: then a pause of the database takes every process from the proxy.
        if settings.HEALTH_ASKS_DATABASE:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        return JsonResponse({"status": "ok"})

    return answer
