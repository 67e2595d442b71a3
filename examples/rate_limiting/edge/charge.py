"""One request, charged once: every entry point asks here, and the request remembers."""

from django.http import HttpRequest
from limiter.decision import Decision

from . import callers, configured

REMEMBERED = "limiter_decisions"
DETECTOR = "ewma"


def charge(request: HttpRequest, rules: str) -> Decision:
    """Decide on a request for a rule set; a second entry point gets the first one's decision."""
    decisions = made(request)
    if rules not in decisions:
        identity = callers.identify(request)
        decisions[rules] = configured.limiter(rules).decide(identity.client)
        configured.watch(DETECTOR).observe(callers.caller(identity))
    return decisions[rules]


async def acharge(request: HttpRequest, rules: str) -> Decision:
    """Charge the same counter without blocking the event loop."""
    decisions = made(request)
    if rules not in decisions:
        identity = callers.identify(request)
        decisions[rules] = await configured.limiter(rules).adecide(identity.client)
        configured.watch(DETECTOR).observe(callers.caller(identity))
    return decisions[rules]


def made(request: HttpRequest) -> dict[str, Decision]:
    """Return the decisions made on this request, by rule set, in their order."""
    decisions: dict[str, Decision] = request.__dict__.setdefault(REMEMBERED, {})
    return decisions
