"""The flight API behind the guards, and what operators of a variant do: ban, lift, look."""

import os

import psutil
from bans import configured
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from . import asked
from .airports import DOCUMENTS
from .guards import TakesFeeds
from .permissions import for_staff
from .problems import problem
from .variants import VARIANTS


@require_GET
def airport(_request: HttpRequest, variant: str, code: str) -> HttpResponse:  # noqa: ARG001 -- urls.py names it
    if document := DOCUMENTS.get(code.upper()):
        return HttpResponse(document, content_type="application/json")
    return problem(404, "No such airport", codes=sorted(DOCUMENTS))


@require_http_methods(["POST", "DELETE"])
@for_staff
def bans(request: HttpRequest, variant: str) -> HttpResponse:
    """Change the list of a variant, as its own means change it."""
    guard = VARIANTS[variant].guard
    if request.method == "DELETE":
        guard.unban(asked.network(request.GET.get("network")))
        return HttpResponse(status=204)
    guard.ban(asked.ban(request))
    return HttpResponse(status=201)


def taking_feeds(variant: str) -> TakesFeeds:
    guard = VARIANTS[variant].guard
    if not isinstance(guard, TakesFeeds):
        raise Http404
    return guard


@require_http_methods(["PUT", "DELETE"])
@for_staff
def feeds(request: HttpRequest, variant: str, name: str) -> HttpResponse:
    """Take a list from elsewhere: PUT replaces its last version, and `?force=1` even by an unlikely one."""
    guard, name = taking_feeds(variant), asked.feed(name)
    if request.method == "DELETE":
        guard.drop(name)
        return HttpResponse(status=204)
    return JsonResponse(guard.replace(name, request.body, force=request.GET.get("force") == "1"))


@require_POST
@for_staff
def matches(request: HttpRequest, variant: str) -> HttpResponse:
    """Say of each address whether this process refuses it."""
    return JsonResponse({"refused": taking_feeds(variant).refuses(asked.addresses(request))})


@require_GET
@for_staff
def state(_request: HttpRequest, variant: str) -> HttpResponse:  # noqa: ARG001 -- urls.py names it
    """Say what this one process has: ask until every process has answered."""
    follower = configured.follower()
    return JsonResponse(
        {
            "process": f"{os.uname().nodename}:{os.getpid()}",
            "seq": follower.replica.seq,
            "networks": len(follower.replica.matcher),
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
