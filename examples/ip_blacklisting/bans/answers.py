"""What is answered to bad input and to who is refused: problem details, RFC 9457."""

import json
from typing import Any

from django.db import DatabaseError
from django.http import HttpResponse
from rest_framework.views import exception_handler


def problem(status: int, title: str, **members: object) -> HttpResponse:
    """Answer with problem details, which no cache may keep."""
    body = {"type": "about:blank", "title": title, "status": status} | members
    answer = HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    answer["Cache-Control"] = "no-store"
    return answer


def on_exception(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Answer what a view raises with problem details; without PostgreSQL nothing can be changed, 503."""
    if isinstance(error, DatabaseError):
        return problem(503, "The list cannot be changed: PostgreSQL does not answer")
    answer = exception_handler(error, context)
    if answer is None:
        return None
    detail = (
        answer.data.get("detail", answer.data) if isinstance(answer.data, dict) else answer.data
    )
    found = problem(answer.status_code, answer.status_text, detail=detail)
    if "Retry-After" in answer:
        found["Retry-After"] = answer["Retry-After"]
    return found
