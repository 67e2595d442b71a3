"""What went wrong, told as problem details (RFC 9457), also where no view sees the request."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from contract import preconditions
from contract.strict import Refused
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework.exceptions import APIException

TYPE = "application/problem+json"
STATUS: Mapping[type[Exception], int] = {
    preconditions.Missing: 428,
    preconditions.Malformed: 400,
    preconditions.Stale: 412,
}


def problem(status: int, title: str, **members: object) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status} | members
    return HttpResponse(json.dumps(body), status=status, content_type=TYPE)


def handler(error: Exception, _context: dict[str, Any]) -> HttpResponse | None:
    """Turn what a view raised into an answer; None makes it an error of this service."""
    if isinstance(error, Refused):
        faults = [asdict(each) for each in error.faults]
        return problem(400, "The request is not as the contract says", faults=faults)
    if type(error) in STATUS:
        return problem(STATUS[type(error)], str(error))
    if isinstance(error, Http404):
        return problem(404, "There is no such thing")
    if isinstance(error, APIException):
        return problem(error.status_code, str(error.detail))
    return None


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    return problem(400, "The request cannot be read")


def failed(_request: HttpRequest) -> HttpResponse:
    return problem(500, "The service has failed; the request may be as it should be")


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    return problem(404, "No such path; see /api/")
