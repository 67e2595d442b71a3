"""What went wrong, told as problem details (RFC 9457)."""

import json

from django.http import HttpResponse


def problem(status: int, title: str, **members: object) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status} | members
    return HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
