"""The limiter as a throttle class of Django REST framework."""

import math
from typing import Any

from django.http.response import HttpResponseBase
from limiter.decision import Decision
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.views import exception_handler as stock_exception_handler

from . import configured
from .answers import refuse
from .charge import charge, made


class TokenBucketThrottle(BaseThrottle):
    """Throttle by a rule set: that of a subclass, of the instance, or of the view.

    ``class Airports(TokenBucketThrottle): rules = "airports"`` goes into ``throttle_classes``,
    ``TokenBucketThrottle("airports")`` comes from ``get_throttles()``, and without either the
    view's own ``throttle_rules`` decides.
    """

    rules: str | None = None

    def __init__(self, rules: str | None = None) -> None:
        self.rules = rules or self.rules
        self.decision: Decision | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        rules = self.rules or view.throttle_rules  # type: ignore[attr-defined]  # of a limited view
        self.decision = charge(request._request, rules)
        return self.decision.allowed

    def wait(self) -> float | None:
        """Return the seconds to wait, in whole ones: DRF writes them into Retry-After."""
        if self.decision is None or self.decision.allowed:
            return None
        return max(1, math.ceil(self.decision.retry_after_us / 1_000_000))


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """Answer a throttled request exactly as the middleware does; leave all else to DRF."""
    if isinstance(error, Throttled):
        for rules, decision in made(context["request"]._request).items():
            if not decision.allowed:
                return refuse(configured.rule_sets()[rules], decision)
    return stock_exception_handler(error, context)
