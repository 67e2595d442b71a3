"""Where HTTP meets a limiter: charge a request once, refuse it, say what remains.

RFC 6585 (429), RFC 9457 (problem details), draft-ietf-httpapi-ratelimit-headers-11 (the fields).
"""

import json
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from limiter.limiter import Limiter
from limiter.policy import OnFailure, RuleSet
from limiter.token_bucket import Decision, Outcome

PROBLEMS = "https://iana.org/assignments/http-problem-types"
QUOTA_EXCEEDED = "Request cannot be satisfied as assigned quota has been exceeded"
REDUCED_CAPACITY = "Request cannot be satisfied due to temporary server capacity constraints"

type View = Callable[..., Any]
type ClientOf = Callable[[HttpRequest], str]
type Made = tuple[RuleSet, Decision]


def limited(limiter: Limiter, client_of: ClientOf) -> Callable[[View], View]:
    """Limit what a URL points at: a function, or the result of ``as_view()``.

    *client_of* names who is charged. Raises TypeError for an async view, as a decision blocks.
    """

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):
            raise TypeError("an async view awaits sync_to_async(limiter.decide)(client) itself")

        @wraps(view)
        def limited_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            decision = charge(request, limiter, client_of)
            if not decision.allowed:
                return refuse(limiter.rules, decision)
            answer: HttpResponseBase = view(request, *args, **kwargs)
            annotate(answer, *made(request))
            return answer

        return limited_view

    return decorate


def charge(request: HttpRequest, limiter: Limiter, client_of: ClientOf) -> Decision:
    """Decide on a request; what asks a second time for the same client gets the first decision."""
    decisions = request.__dict__.setdefault("limiter_decisions", {})
    asked = limiter.rules, (client := client_of(request))
    if asked not in decisions:
        decisions[asked] = limiter.decide(client)
    decision: Decision = decisions[asked]
    return decision


def made(request: HttpRequest) -> list[Made]:
    """Return the decisions made on this request, in their order."""
    decisions = request.__dict__.get("limiter_decisions", {})
    return [(rules, decision) for (rules, _client), decision in decisions.items()]


def problem(
    status: int, title: str, *, kind: str = "about:blank", **members: object
) -> HttpResponse:
    """Answer with problem details, which no cache may keep."""
    body = {"type": kind, "title": title, "status": status} | members
    answer = HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    answer["Cache-Control"] = "no-store"
    return answer


def refuse(rules: RuleSet, decision: Decision) -> HttpResponse:
    """Answer 429 to a refused request, with the second from which it is allowed.

    Without its store a closed policy refuses too: its client is asked to wait, not told that the
    server has failed.
    """
    if decision.degraded is OnFailure.CLOSED:
        answer = problem(429, REDUCED_CAPACITY, kind=f"{PROBLEMS}#temporary-reduced-capacity")
    else:
        names = {"violated-policies": [o.policy.name for o in decision.outcomes if not o.allowed]}
        answer = problem(429, QUOTA_EXCEEDED, kind=f"{PROBLEMS}#quota-exceeded", **names)
    answer["Retry-After"] = str(seconds(decision.retry_after_us))
    annotate(answer, (rules, decision))
    return answer


def annotate(answer: HttpResponseBase, *decisions: Made) -> None:
    """Add the RateLimit fields to any answer, and one of our own if the store did not decide."""
    policies = dict.fromkeys(policy_field(rules) for rules, _ in decisions)
    answer["RateLimit-Policy"] = ", ".join(policies)
    counted: list[str] = []
    for _, decision in decisions:
        if decision.degraded:
            answer["RateLimit-Mode"] = decision.degraded
        if decision.degraded in (None, OnFailure.LOCAL):  # the others know no remainder
            counted += map(item, decision.outcomes)
    if counted:
        answer["RateLimit"] = ", ".join(counted)


@lru_cache(maxsize=256)
def policy_field(rules: RuleSet) -> str:
    """Return the value of RateLimit-Policy, with the seconds that fill an empty bucket as ``w``."""
    return ", ".join(
        f'"{each.name}";q={each.burst};w={seconds(-(-each.capacity // each.ticks_per_us))}'
        for each in rules.policies
    )


def item(outcome: Outcome) -> str:
    """Return one policy's item of RateLimit: what remains, and for how long to make do with it."""
    name = outcome.policy.name
    if outcome.allowed:
        return f'"{name}";r={outcome.remaining};t={-(-outcome.full_after_us // 1_000_000)}'
    return f'"{name}";r=0;t={seconds(outcome.retry_after_us)}'


def seconds(microseconds: int) -> int:
    """Round up to whole seconds, at least one: earlier would be refused, and 0 invites a loop."""
    return max(1, -(-microseconds // 1_000_000))
