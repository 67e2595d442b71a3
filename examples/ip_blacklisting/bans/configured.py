"""What is made from the settings, one of each thing for a process."""

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from redis import Redis
from shield.addresses import Address
from shield.client import Proxies, hops
from shield.follower import Follower
from shield.replica import Replica
from shield.snapshot import RunFiles

from . import stream
from .stream import RedisStream
from .truth import PostgresTruth, run_of


@cache
def proxies() -> Proxies:
    return Proxies.parse(settings.TRUSTED_PROXIES)


def client_of(meta: Mapping[str, Any]) -> Address | None:
    """Return who sent a request, from its META; None if a proxy names nobody that can be read."""
    header = getattr(settings, "CLIENT_HEADER", "HTTP_X_FORWARDED_FOR")
    forwarded = hops(meta.get(header, ""), rfc7239=header == "HTTP_FORWARDED")
    return proxies().client(meta.get("REMOTE_ADDR", ""), forwarded)


def database() -> str:
    """Return how to connect to Django's database without Django."""
    own = ("context", "cursor_factory", "prepare_threshold")
    given = connection.get_connection_params()
    return make_conninfo(**{name: value for name, value in given.items() if name not in own})


@cache
def folder() -> Path:
    return Path(settings.STATE_FOLDER)


def files() -> RunFiles:
    return RunFiles(folder(), partial(run_of, database()))


@cache
def redis() -> "Redis":
    """Return the client of requests; the follower waits on a client of its own."""
    return stream.connect(settings.REDIS_URL)


@cache
def follower() -> Follower:
    """Return this process's copy of the list, and what keeps it up to date."""
    return copy_of(PostgresTruth(database()))


def copy_of(truth: PostgresTruth) -> Follower:
    waiting = stream.connect(settings.REDIS_URL, timeout_seconds=1.5)
    return Follower(Replica(files()), truth, RedisStream(waiting), folder())
