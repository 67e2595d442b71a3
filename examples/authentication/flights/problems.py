"""What went wrong, in one shape (RFC 9457), and REST framework's exception handler."""

import json
from typing import Any

from django.db import OperationalError, ProgrammingError
from django.http import Http404, HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.views import set_rollback
from sessions.scope import is_denied

NOT_THERE = "It is not there, or not yours"


def problem(
    status: int, title: str, headers: dict[str, str] | None = None, **members: object
) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status} | members
    kind = "application/problem+json"
    return HttpResponse(json.dumps(body), status=status, content_type=kind, headers=headers)


def handler(error: Exception, _context: dict[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view; None: it is a defect, and a 500.

    What is not yours is answered as what is not there: a 403 would say that it is.
    """
    set_rollback()
    if isinstance(error, Http404) or (isinstance(error, ProgrammingError) and is_denied(error)):
        return problem(404, NOT_THERE)
    if isinstance(error, OperationalError):
        return problem(503, "The database does not answer", {"Retry-After": "1"})
    if not isinstance(error, APIException):
        return None
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(wait)
    detail: Any = error.detail
    if isinstance(detail, str):
        return problem(error.status_code, detail, headers)
    if "detail" in detail:
        return problem(error.status_code, str(detail["detail"]), headers)
    return problem(error.status_code, "Not as expected", headers, errors=detail)
