"""What is answered to bad input and to who is refused: problem details, RFC 9457."""

from django.http import HttpRequest, JsonResponse


def problem(status: int, title: str, **members: object) -> JsonResponse:
    """Answer with problem details, which no cache may keep."""
    body = {"type": "about:blank", "title": title, "status": status} | members
    answer = JsonResponse(body, status=status, content_type="application/problem+json")
    answer["Cache-Control"] = "no-store"
    return answer


def not_found(_request: HttpRequest, exception: Exception) -> JsonResponse:  # noqa: ARG001 -- Django names it
    return problem(404, "No such path; see /api/")
