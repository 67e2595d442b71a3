"""What is made from the settings, one of each thing for a process."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from redis import Redis
from shield.addresses import Host
from shield.client import Proxies, hops
from shield.follower import Follower
from shield.snapshot import Disk

from .stream import RedisStream, connect
from .truth import PostgresTruth, run_of


@cache
def proxies() -> Proxies:
    return Proxies(settings.TRUSTED_PROXIES)


def client_of(meta: Mapping[str, Any]) -> Host | None:
    """Return who sent a request, from its META; None if a proxy names nobody that can be read."""
    header = getattr(settings, "CLIENT_HEADER", "HTTP_X_FORWARDED_FOR")
    forwarded = hops(meta.get(header, ""), rfc7239=header == "HTTP_FORWARDED")
    return proxies().client(meta.get("REMOTE_ADDR", ""), forwarded)


@cache
def redis() -> "Redis":
    """Return the client of requests; the follower waits on a client of its own."""
    return connect(settings.REDIS_URL)


@cache
def follower() -> Follower:
    """Return this process's copy of the list, and what keeps it up to date."""
    stream = RedisStream(connect(settings.REDIS_URL, timeout_seconds=1.5))
    return Follower(PostgresTruth(), stream, Disk(Path(settings.STATE_FOLDER), run_of))
