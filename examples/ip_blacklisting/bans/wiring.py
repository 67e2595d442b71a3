"""The one place where the settings of the list are read; one of each thing for a process."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from redis import Redis
from shield import references
from shield.addresses import Address
from shield.client import Proxies, hops
from shield.countries import Countries
from shield.follower import Follower
from shield.replica import Replica
from shield.snapshot import RunFiles

from bans import stream
from bans.stream import RedisStream
from bans.truth import PostgresTruth


@cache
def proxies() -> Proxies:
    return Proxies.parse(settings.TRUSTED_PROXIES)


def client_of(meta: Mapping[str, Any]) -> Address | None:
    """Return who sent a request, from its META; None if a proxy names nobody that can be read."""
    forwarded = hops(
        meta.get(settings.CLIENT_HEADER, ""), rfc7239=settings.CLIENT_HEADER == "HTTP_FORWARDED"
    )
    return proxies().client(meta.get("REMOTE_ADDR", ""), forwarded)


@cache
def countries() -> Countries:
    return Countries(Path(settings.COUNTRY_FILE) if settings.COUNTRY_FILE else None)


@cache
def folder() -> Path:
    return Path(settings.STATE_FOLDER)


@cache
def redis() -> "Redis":
    """Return the client of requests; the follower waits on a client of its own."""
    return stream.connect(settings.REDIS_URL)


@cache
def follower() -> Follower:
    """Return this process's copy of the list, and what keeps it up to date."""
    return copy_of(PostgresTruth(settings.DATABASE_URL))


def copy_of(truth: PostgresTruth) -> Follower:
    runs = PostgresTruth(settings.DATABASE_URL)
    waiting = stream.connect(settings.REDIS_URL, timeout_seconds=1.5)
    return Follower(Replica(RunFiles(folder(), runs.run)), truth, RedisStream(waiting), folder())


def reference(ban: int) -> str:
    """Return what a refused client is told of its ban."""
    return references.reference(ban, settings.SECRET_KEY.encode())


def ban_of(reference: str) -> int | None:
    return references.number(reference, settings.SECRET_KEY.encode())
