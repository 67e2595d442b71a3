"""The flight API behind the guards, and what operators of a variant do: ban, lift, look."""

import psutil
from bans import configured
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_http_methods
from shield.addresses import parse_network

from .airports import DOCUMENTS
from .guards import TakesFeeds
from .middleware import PROCESS
from .permissions import for_staff
from .problems import problem
from .variants import VARIANTS

LONGEST_NAME = 50  # of a feed


@require_GET
def airport(_request: HttpRequest, variant: str, code: str) -> HttpResponse:  # noqa: ARG001 -- urls.py names it
    if document := DOCUMENTS.get(code.upper()):
        return HttpResponse(document, content_type="application/json")
    return problem(404, "No such airport", codes=sorted(DOCUMENTS))


@require_http_methods(["POST", "DELETE"])
@for_staff
def bans(request: HttpRequest, variant: str) -> HttpResponse:
    """Change the list of a variant, as its own means change it; to some a network is any text."""
    guard, network = VARIANTS[variant].guard, request.GET.get("network", "")
    try:
        parse_network(network)
    except ValueError as error:
        return problem(400, f"network: {error}")
    if request.method == "DELETE":
        guard.unban(network)
        return HttpResponse(status=204)
    guard.ban(network)
    return HttpResponse(status=201)


@require_http_methods(["PUT"])
@for_staff
def feeds(request: HttpRequest, variant: str, name: str) -> HttpResponse:
    """Put a list from elsewhere in the place of its last version; `?force=1` takes an unlikely one, too."""
    guard = VARIANTS[variant].guard
    if not isinstance(guard, TakesFeeds):
        raise Http404
    if len(name) > LONGEST_NAME:
        return problem(400, f"the name of the feed has more than {LONGEST_NAME} characters")
    return JsonResponse(guard.replace(name, request.body, force=request.GET.get("force") == "1"))


@require_http_methods(["POST"])
@for_staff
def matches(request: HttpRequest, variant: str) -> HttpResponse:
    """Say of each address, one a line, whether this process refuses a client who connects from it."""
    refused = []
    for address in request.body.decode(errors="replace").split():
        asked = HttpRequest()
        asked.META["REMOTE_ADDR"] = address
        refused.append(VARIANTS[variant].guard.refusal(asked) is not None)
    return JsonResponse({"refused": refused})


@require_GET
@for_staff
def state(_request: HttpRequest, variant: str) -> HttpResponse:  # noqa: ARG001 -- urls.py names it
    """Say what this one process has: ask until every process has answered."""
    follower = configured.follower()
    return JsonResponse(
        {
            "process": PROCESS(),
            "seq": follower.replica.seq,
            "networks": len(follower.replica),
            "boot_seconds": follower.boot_seconds,
            "resident_bytes": psutil.Process().memory_info().rss,
        }
    )


@require_GET
def index(_request: HttpRequest) -> HttpResponse:
    variants = [
        {"name": each.name, "about": each.about, "path": f"/api/{each.name}/airports/{{code}}/"}
        for each in VARIANTS.values()
    ]
    return JsonResponse({"variants": variants})


def health(_request: HttpRequest) -> HttpResponse:
    """Tell that this process has a list to decide by, however old."""
    if configured.follower().ready.is_set():
        return JsonResponse({"status": "ok"})
    return problem(503, "This process has no list yet")


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django names it
    """Answer a path that leads nowhere with the variants that lead somewhere."""
    return problem(404, "No such path; see /api/", variants=list(VARIANTS))
