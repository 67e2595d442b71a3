"""What went wrong, in one shape (RFC 9457), and REST framework's exception handler."""

import json
import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from rest_framework.exceptions import APIException
from rest_framework.views import set_rollback
from sessions.gate import Busy
from sessions.key_file import NoKeys
from sessions.scope import is_denied

NOT_THERE = "It is not there, or not yours"
logger = logging.getLogger(__name__)


def problem(
    status: int, title: str, headers: dict[str, str] | None = None, **members: object
) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status} | members
    kind = "application/problem+json"
    return HttpResponse(json.dumps(body), status=status, content_type=kind, headers=headers)


class Unavailable(MiddlewareMixin):
    """Answers what is no fault of the request, and passes; the transaction of a request may not begin."""

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError | InterfaceError):
            title = "The database does not answer"
        elif isinstance(error, NoKeys):
            title = "The signing keys cannot be read"
        else:
            return None
        logger.error("%s: %s", title, str(error).partition("\n")[0])
        return problem(503, title, {"Retry-After": "1"})


def refused(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a request that Django does not let through, as one for another host."""
    return problem(400, "Not as expected")


def failed(_request: HttpRequest) -> HttpResponse:
    return problem(500, "This is a defect of the service")


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    return problem(404, "No such path; see /api/")


def handler(error: Exception, _context: dict[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view; None: it is for `Unavailable`, or a defect and a 500.

    What is not yours is answered as what is not there: a 403 would say that it is.
    """
    set_rollback()
    if isinstance(error, Http404) or (isinstance(error, ProgrammingError) and is_denied(error)):
        return problem(404, NOT_THERE)
    if isinstance(error, RequestDataTooBig):  # Django would log the traceback of each
        return problem(413, "The body is too large")
    if isinstance(error, Busy):
        return problem(503, "Others are signing in; come back in a second", {"Retry-After": "1"})
    if not isinstance(error, APIException):
        return None
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    detail: Any = error.detail
    if isinstance(detail, str):
        return problem(error.status_code, detail, headers)
    if "detail" in detail:
        return problem(error.status_code, str(detail["detail"]), headers)
    return problem(error.status_code, "Not as expected", headers, errors=detail)
