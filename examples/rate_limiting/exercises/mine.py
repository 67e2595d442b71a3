"""Your own limiter. It begins as what everybody writes first: a counter that expires.

Win `flood-is-cheap` first, then `retry-after-is-true`: change `wait_seconds`. Redis is at hand.
More rule sets in LIMITS ("tiered", "open", "closed", "bulk") let more claims ask for them.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from flights.airports import Airport
from flights.callers import client_of
from flights.limited import problem
from redis import Redis

LIMITS = {"airports": (100, 60), "strict": (10, 1), "steady": (6, 4)}  # requests, seconds
redis = Redis.from_url(settings.REDIS_URL)


def wait_seconds(rules: str, client: str) -> int | None:
    limit, seconds = LIMITS[rules]
    count = redis.incr(f"mine:{rules}:{client}")
    if count == 1:
        redis.expire(f"mine:{rules}:{client}", seconds)
    return redis.ttl(f"mine:{rules}:{client}") if count > limit else None


def view(rules: str) -> Callable[..., Any]:
    def limited(request: HttpRequest, code: str) -> HttpResponse:
        wait = wait_seconds(rules, client_of(request))
        if wait is None:
            return Airport.as_view()(request, code=code)
        refused = problem(429, "Too many requests")
        refused["Retry-After"] = str(wait)
        return refused

    return limited
