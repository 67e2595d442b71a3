"""The limiter as a throttle class of Django REST framework."""

from limiter.token_bucket import Decision
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from . import configured
from .callers import client_of
from .limited import charge, seconds


class TokenBucketThrottle(BaseThrottle):
    """Throttle by the rule set of a subclass.

    ``class Airports(TokenBucketThrottle): rules = "airports"`` goes into ``throttle_classes``.
    """

    rules: str
    decision: Decision

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 -- DRF names it
        self.decision = charge(request._request, configured.limiter(self.rules), client_of)
        return self.decision.allowed

    def wait(self) -> float:
        """Return the seconds to wait, in whole ones: DRF writes them into Retry-After."""
        return seconds(self.decision.retry_after_us)
