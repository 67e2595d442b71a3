"""Objects made from settings; one of each for a process."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from detector.clients import Proxies
from django.conf import settings
from kept.redis import connect
from kept.refusals import Refusals
from kept.stream import Reporter
from redis import Redis


@cache
def proxies() -> Proxies:
    return Proxies.parse(settings.TRUSTED_PROXIES)


def client(meta: Mapping[str, Any]) -> str:
    """Return who is counted for a request, from its META; empty if nobody outside is named."""
    return proxies().client(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""))


@cache
def redis() -> "Redis":
    return connect(settings.REDIS_URL)


@cache
def reporter() -> Reporter:
    return Reporter(redis())


@cache
def refusals(variant: str) -> Refusals:
    return Refusals(redis(), variant)
