"""Refuses requests that another page sends, before they change anything.

Django compares Origin with Host when it is sent; Fetch Metadata (W3C, Sec-Fetch-Site) says the same for
every request of a browser, also where Origin is missing.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseForbidden
from django.http.response import HttpResponseBase

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
type Handler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class SameOriginMiddleware:
    """Answer 403 to a state-changing request whose Sec-Fetch-Site is not same-origin."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if request.method not in SAFE_METHODS and site != "same-origin":
            return HttpResponseForbidden("Only the lab's own pages may start or stop anything.\n")
        return await self.get_response(request)
