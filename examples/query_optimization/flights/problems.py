"""What went wrong, told as problem details (RFC 9457): 400 for bad input, 503 for a moment."""

from typing import Any

from django.db import OperationalError
from django.http import HttpResponse, JsonResponse
from psycopg.errors import SerializationFailure
from psycopg_pool import PoolTimeout
from queries.keyset import BadCursor
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.views import exception_handler

LATER = {"Retry-After": "1"}


def problem(
    status: int, title: str, *, headers: dict[str, str] | None = None, **members: object
) -> HttpResponse:
    return JsonResponse(
        {"type": "about:blank", "title": title, "status": status} | members,
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"} | (headers or {}),
    )


def handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Turn what a view raised into an answer; None makes it an error of this service."""
    match error:
        case ValidationError():
            return problem(400, "The request is not understood", errors=error.detail)
        case BadCursor():
            return problem(400, str(error))
        case OperationalError() if isinstance(error.__cause__, PoolTimeout):
            # Waiting longer would only move the queue from the pool into this process.
            return problem(503, "No database connection could be had in time", headers=LATER)
        case OperationalError() if isinstance(error.__cause__, SerializationFailure):
            # A replica that has waited long enough for a query; the next attempt meets newer rows.
            title = "The database cancelled the query for what it had to replay"
            return problem(503, title, headers=LATER)
        case APIException():
            return problem(error.status_code, str(error.detail))
    return exception_handler(error, context)
