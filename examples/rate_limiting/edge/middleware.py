"""The limiter as middleware: limits paths by their prefix, and reports every decision."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from . import configured
from .answers import annotate, refuse
from .charge import acharge, charge, made

type View = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class TokenBucketMiddleware:
    """Refuse a request to a limited path before anything else is done for it.

    Under ASGI it runs on the event loop, as long as the middleware outside of it does too.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.acall(request)
        if rules := rules_for(request.path_info):
            decision = charge(request, rules)
            if not decision.allowed:
                return refuse(configured.rule_sets()[rules], decision)
        return report(request, self.get_response(request))  # type: ignore[arg-type]  # sync here

    async def acall(self, request: HttpRequest) -> HttpResponseBase:
        if rules := rules_for(request.path_info):
            decision = await acharge(request, rules)
            if not decision.allowed:
                return refuse(configured.rule_sets()[rules], decision)
        return report(request, await self.get_response(request))  # type: ignore[misc]  # async here


def rules_for(path: str) -> str | None:
    """Return the rule set of the longest prefix that is configured for a path."""
    for prefix, rules in configured.limited_paths():
        if path.startswith(prefix):
            return rules
    return None


def report(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    """Add the fields of what was decided on the way, here, by a throttle or by a decorator."""
    for rules, decision in made(request).items():
        annotate(answer, configured.rule_sets()[rules], decision)
    return answer
