"""The first rung: who fails to log in too often within a minute is told to wait, 429.

django-ratelimit counts, and counts failures: at nine many people log in from one address, and rightly.
Attempts that are under way at once may all pass; the detector counts those.
https://django-ratelimit.readthedocs.io/en/stable/usage.html
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError
from shield.addresses import Address, account

from bans import wiring
from bans.answers import problem

RATE = "5/m"


def wait_seconds(request: HttpRequest, client: Address) -> int:
    """Return how long the client has to wait before it may try again, 0 if not at all."""
    usage = _usage(request, client, increment=False)
    if usage is None or usage["count"] < usage["limit"]:
        return 0
    return max(1, int(usage["time_left"]))


def failed(request: HttpRequest, client: Address) -> None:
    """Count a wrong password."""
    _usage(request, client, increment=True)


def too_many(wait_seconds: int) -> HttpResponseBase:
    answer = problem(429, "Too many wrong passwords; wait, and try again")
    answer["Retry-After"] = str(wait_seconds)
    return answer


def _usage(request: HttpRequest, client: Address, *, increment: bool) -> dict[str, Any] | None:
    """Return what was counted; None without Redis, for nobody can count then."""
    # Keyed: among the counters no address is found by trying all of them.
    name = salted_hmac("bans.logins", str(account(client)), algorithm="sha256").hexdigest()
    try:
        usage: dict[str, Any] | None = get_usage(
            request, group="logins", key=lambda *_: name, rate=RATE, increment=increment
        )
    except RedisError:
        return None
    return usage


def admin_login(request: HttpRequest) -> HttpResponseBase:
    """Put the same rung before the login of the admin."""
    client = wiring.client_of(request.META)
    if request.method != "POST":
        return admin.site.login(request)
    if client is None:
        return problem(400, "No proxy names an address for you that can be read")
    if wait := wait_seconds(request, client):
        return too_many(wait)
    answer = admin.site.login(request)
    if answer.status_code == 200:  # the form again: the password was wrong
        failed(request, client)
    return answer
