"""What goes wrong, as problem documents (RFC 9457): the caller's mistakes and the service's."""

import json
import logging
from typing import Any

from django.db import OperationalError
from django.http import HttpResponse
from rest_framework.exceptions import APIException

from .gate import Overloaded

logger = logging.getLogger(__name__)


def problem(status: int, title: str, headers: Any = None, **more: object) -> HttpResponse:
    """Return a problem document."""
    document = {"type": "about:blank", "title": title, "status": status, **more}
    data, kind = json.dumps(document, ensure_ascii=False), "application/problem+json"
    return HttpResponse(data, status=status, content_type=kind, headers=headers)


def handler(error: Exception, _context: dict[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view, as REST framework's EXCEPTION_HANDLER; None: it is a defect."""
    if isinstance(error, APIException):
        return problem(error.status_code, str(error.detail))
    if isinstance(error, Overloaded | OperationalError):
        logger.error("no page: %s", str(error) or "the database is busy")
        return problem(503, "The database is busy or does not answer", {"Retry-After": "1"})
    return None
