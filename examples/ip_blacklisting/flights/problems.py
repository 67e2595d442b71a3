"""What is answered to bad input and to who is refused: problem details, RFC 9457."""

import json

from django.http import HttpResponse


def problem(status: int, title: str, **members: object) -> HttpResponse:
    """Answer with problem details, which no cache may keep."""
    body = {"type": "about:blank", "title": title, "status": status} | members
    answer = HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    answer["Cache-Control"] = "no-store"
    return answer
