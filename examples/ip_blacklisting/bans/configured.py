"""What is made from the settings, one of each thing for a process."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from redis import Redis
from shield.addresses import Host
from shield.client import Proxies, hops
from shield.follower import Follower
from shield.snapshot import Disk

from . import bell, truth

HEADERS: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")


@cache
def proxies() -> Proxies:
    return Proxies(settings.TRUSTED_PROXIES)


def header() -> str:
    """Return the name in META of the one header that the proxies write.

    Raises:
        ValueError: the setting is none that is read here.
    """
    name = getattr(settings, "CLIENT_HEADER", HEADERS[0])
    if name not in HEADERS:
        raise ValueError(f"{name!r} is not one of {', '.join(HEADERS)}")
    return name


def client_of(meta: Mapping[str, Any]) -> Host | None:
    """Return who sent a request, from its META; None if a proxy names nobody that can be read."""
    name = header()
    forwarded = hops(meta.get(name, ""), rfc7239=name == "HTTP_FORWARDED")
    return proxies().client(meta.get("REMOTE_ADDR", ""), forwarded)


@cache
def redis() -> "Redis":
    """Return the client of requests; the follower waits on a client of its own."""
    return bell.connect(settings.REDIS_URL)


@cache
def follower() -> Follower:
    """Return this process's copy of the list, and what keeps it up to date."""
    ears = bell.Ears(bell.connect(settings.REDIS_URL, timeout_seconds=1.5))
    disk = Disk(Path(settings.STATE_FOLDER), truth.run_of)
    return Follower(truth.changes, truth.everything, ears.wait, disk)
