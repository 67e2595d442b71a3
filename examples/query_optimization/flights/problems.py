"""What went wrong, told as problem details (RFC 9457): 400 for bad input, 503 for a moment."""

import json
from typing import Any

from django.db import OperationalError
from django.http import HttpResponse
from psycopg.errors import SerializationFailure
from psycopg_pool import PoolTimeout, TooManyRequests
from queries.keyset import BadCursor
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.views import exception_handler


class BadInput(ValueError):
    """The request asks for something that does not exist or makes no sense."""


def problem(status: int, title: str, **members: object) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status} | members
    return HttpResponse(
        json.dumps(body),
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )


def later(title: str) -> HttpResponse:
    answer = problem(503, title)
    answer["Retry-After"] = "1"
    return answer


def handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Turn what a view raised into an answer; None makes it an error of this service."""
    match error:
        case ValidationError():
            return problem(400, "The request is not understood", errors=error.detail)
        case BadInput() | BadCursor():
            return problem(400, str(error))
        case OperationalError() if isinstance(error.__cause__, PoolTimeout | TooManyRequests):
            # Waiting longer would only move the queue from the pool into this process.
            return later("No database connection could be had in time")
        case OperationalError() if isinstance(error.__cause__, SerializationFailure):
            # A replica that has waited long enough for a query; the next attempt meets newer rows.
            return later("The database cancelled the query for what it had to replay")
        case APIException():
            return problem(error.status_code, str(error.detail))
    return exception_handler(error, context)
