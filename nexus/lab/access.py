"""Who may do what: pages are for everybody, whatever starts, stops or watches is for the key's holder.

The key is in the address that the terminal prints, as Jupyter's is. A visit with it leaves a cookie and
goes on at the address without it. Cookies do not know ports: the page of another server on this machine
could send it, too, and is told by Sec-Fetch-Site and Origin, as by Go's CrossOriginProtection
(https://pkg.go.dev/net/http#CrossOriginProtection).
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path

GUARDED = "nexus.lab.actions"
KEY_NEEDED = (
    "Only the holder of the lab's key may do this; open the address that its terminal printed."
)
OWN_PAGES = "Only the lab's own pages may do this."
type Handler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class AccessMiddleware:
    """Let in whoever brings the key, and answer 403 to everybody else who asks for an action."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _is_key(request.GET.get("key", "")):
            return _let_in(request)
        return await self.get_response(request)

    async def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: Any
    ) -> HttpResponse | None:
        """Guard every view of `actions`; the others only show what a stranger may read."""
        if view.__module__ != GUARDED:
            return None
        if not holds_key(request):
            return JsonResponse({"error": KEY_NEEDED}, status=403)
        if not _is_own(request):
            return JsonResponse({"error": OWN_PAGES}, status=403)
        return None


def holds_key(request: HttpRequest) -> bool:
    """Whether this browser opened the address with the key."""
    return _is_key(request.COOKIES.get(_cookie(request), ""))


def _is_key(text: str) -> bool:
    return secrets.compare_digest(text.encode(), settings.LAB_KEY.encode())


def _cookie(request: HttpRequest) -> str:
    # Of the port, so that two labs do not take each other's.
    return f"nexus_lab_{request.META['SERVER_PORT']}"


def _let_in(request: HttpRequest) -> HttpResponse:
    query = request.GET.copy()
    del query["key"]
    rest = f"?{query.urlencode()}" if query else ""
    # With the host: a path that begins with two slashes would name another one.
    response = HttpResponseRedirect(
        f"http://{request.get_host()}{escape_uri_path(request.path)}{rest}"
    )
    response.set_cookie(_cookie(request), settings.LAB_KEY, httponly=True, samesite="Strict")
    response["Cache-Control"] = "no-store"
    return response


def _is_own(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin", "")
    from_here = not origin or urlsplit(origin).netloc == request.get_host()
    return site in ("same-origin", "none") and from_here
