"""What a limited client is told.

RFC 6585 (429), RFC 9457 (problem details), draft-ietf-httpapi-ratelimit-headers-11 (the fields).
"""

import json
from functools import lru_cache

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from limiter.decision import Decision, Mode, Outcome
from limiter.policy import RuleSet

PROBLEMS = "https://iana.org/assignments/http-problem-types"
QUOTA_EXCEEDED = "Request cannot be satisfied as assigned quota has been exceeded"
REDUCED_CAPACITY = "Request cannot be satisfied due to temporary server capacity constraints"
MODE_FIELD = "RateLimit-Mode"  # not of the draft: how a degraded decision was made


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
    if decision.mode is Mode.CLOSED:
        answer = problem(429, REDUCED_CAPACITY, kind=f"{PROBLEMS}#temporary-reduced-capacity")
        answer["Retry-After"] = "1"
    else:
        violated = [outcome.policy.name for outcome in decision.violated]
        answer = problem(
            429,
            QUOTA_EXCEEDED,
            kind=f"{PROBLEMS}#quota-exceeded",
            **{"violated-policies": violated},
        )
        answer["Retry-After"] = str(seconds(decision.retry_after_us))
    annotate(answer, rules, decision)
    return answer


def annotate(answer: HttpResponseBase, rules: RuleSet, decision: Decision) -> None:
    """Add the RateLimit fields to any answer, and the mode if the store did not decide.

    A shadow policy is not advertised: its clients are not bound by it.
    """
    if decision.degraded:
        answer[MODE_FIELD] = str(decision.mode)
    if not (policies := policy_field(rules)):
        return
    answer["RateLimit-Policy"] = policies
    if decision.mode not in (Mode.OPEN, Mode.CLOSED):  # those know no remainder
        answer["RateLimit"] = ", ".join(
            item(outcome) for outcome in decision.outcomes if not outcome.policy.shadow
        )


@lru_cache(maxsize=256)
def policy_field(rules: RuleSet) -> str:
    """Return the value of RateLimit-Policy, empty if every policy is in shadow mode."""
    return ", ".join(
        f'"{policy.name}";q={policy.burst};w={policy.window_seconds}'
        for policy in rules.policies
        if not policy.shadow
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
