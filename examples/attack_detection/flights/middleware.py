"""Refuses who was found, and notes what was answered to everybody else."""

from collections.abc import Callable

from detector.fetch_metadata import Asked
from detector.pseudonyms import pseudonym
from detector.sightings import Kind, Sighting
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from redis.exceptions import RedisError

from . import configured
from .permissions import credentials
from .problems import problem
from .variants import SOLUTION, VARIANTS, Variant

LONGEST_PATH = 2_000


class WatchMiddleware:
    """Knows the variant by the second part of the path; the rest of the site is the solution's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        client = configured.client(request.META)
        if not client:  # from inside: a health check, say
            return self.get_response(request)
        _, _, name, *_ = [*request.path.split("/", 3), "", ""]
        variant = VARIANTS.get(name) or VARIANTS[SOLUTION]
        how = variant.asked(request)
        if how == "as a part of a page":
            return problem(403, "This is no part of a page")
        if refused(variant, client, request):
            return problem(403, "Refused; it ends by itself")
        answer = self.get_response(request)
        sighting = seen(variant, client, request, answer.status_code, how)
        configured.reporter().note(variant.name, sighting)
        return answer


def refused(variant: Variant, client: str, request: HttpRequest) -> bool:
    """Ask the list; without Redis nobody is on it."""
    try:
        scope = configured.refusals(variant.name).scope(client)
    except RedisError:
        return False
    return scope == "all" or (scope == "logins" and request.path.endswith("/login/"))


def seen(variant: Variant, client: str, request: HttpRequest, status: int, how: Asked) -> Sighting:
    kind: Kind = "ok"
    if status == 401:
        kind = "login failed"
    elif status == 404:
        # A link that somebody else wrote leads there, too.
        trap = how == "by a program" and request.path.endswith(settings.TRAPS)
        kind = "trap" if trap else "missing"
    name, right = credentials(request)
    peers = "address" if not right else "partner" if name.startswith("partner-") else "person"
    account = ""
    if right or (name and kind == "login failed"):
        account = pseudonym(name, settings.SECRET_KEY.encode())
    path = variant.path(request)[:LONGEST_PATH]
    return Sighting(0, client, kind, path, account, peers, status)
