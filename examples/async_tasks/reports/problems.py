"""Problem documents (RFC 9457): what every refusal looks like."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.views import exception_handler


def problem(status: int, title: str, **more: object) -> HttpResponse:
    document = {"type": "about:blank", "title": title, "status": status, **more}
    return JsonResponse(document, status=status, content_type="application/problem+json")


def handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Turn what REST framework refuses into a problem document."""
    if (response := exception_handler(error, context)) is None:
        return None
    if isinstance(error, ValidationError):
        return problem(400, "The request is not one for a report", errors=response.data)
    title = str(error.detail) if isinstance(error, APIException) else "Refused"
    answer = problem(response.status_code, title)
    if "Allow" in response.headers:
        answer["Allow"] = response.headers["Allow"]
    return answer


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere."""
    return problem(404, "No such path; see /api/")
