"""The flight API, and what its operators read."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST
from kept.models import Finding

from .airports import DOCUMENTS
from .permissions import credentials, is_staff
from .problems import problem
from .variants import VARIANTS

LATEST = 100  # findings that are shown


@require_GET
def airport(_request: HttpRequest, variant: str, code: str) -> HttpResponse:  # noqa: ARG001 -- of the path
    if document := DOCUMENTS.get(code.upper()):
        return HttpResponse(document, content_type="application/json")
    return problem(404, "No such airport", codes=sorted(DOCUMENTS))


@require_POST
def login(request: HttpRequest, variant: str) -> HttpResponse:  # noqa: ARG001 -- of the path
    name, right = credentials(request)
    if right:
        return JsonResponse({"user": name})
    answer = problem(401, "Wrong name or password")
    answer["WWW-Authenticate"] = 'Basic realm="flights", charset="UTF-8"'
    return answer


@require_GET
def findings(request: HttpRequest, variant: str) -> HttpResponse:
    """Show staff who was found lately, the newest first."""
    if not is_staff(request):
        return problem(403, "For staff only")
    rows = Finding.objects.filter(variant=variant).order_by("-id")[:LATEST]
    fields = ("id", "at", "client", "network", "scope", "reason", "parts")
    return JsonResponse({"findings": list(rows.values(*fields))})


@require_GET
def index(_request: HttpRequest) -> HttpResponse:
    found = [
        {"name": each.name, "about": each.about, "path": f"/api/{each.name}/airports/{{code}}/"}
        for each in VARIANTS.values()
    ]
    return JsonResponse({"variants": found})


def health(_request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})
