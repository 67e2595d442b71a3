"""The limiter that everybody writes first: count in a window that begins with its first request.

Only the counting is naive: clients are told apart as the token bucket tells them.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis import Redis

from .airports import Airport
from .callers import client_of

WINDOWS = {"airports": (100, 60), "strict": (10, 1), "steady": (6, 4), "bulk": (5000, 3600)}
LIMITS = {rules: f"{limit} per {seconds} s" for rules, (limit, seconds) in WINDOWS.items()}


@cache
def redis() -> "Redis":
    return Redis.from_url(settings.REDIS_URL)


def hit(key: str, limit: int, window_seconds: int) -> int | None:
    """Count one request; return the seconds to wait, or None if it is within the limit."""
    count = redis().incr(key)
    if count == 1:
        redis().expire(key, window_seconds)
    return redis().ttl(key) if count > limit else None


def view(rules: str) -> Callable[..., Any]:
    airport = Airport.as_view()

    @wraps(airport)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wait_seconds = hit(f"fixed_window:{rules}:{client_of(request)}", *WINDOWS[rules])
        if wait_seconds is None:
            return airport(request, *args, **kwargs)
        wait = {"Retry-After": str(wait_seconds)}
        return JsonResponse({"detail": "Too many requests."}, status=429, headers=wait)

    return limited
