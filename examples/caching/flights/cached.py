"""The layered cache as this project's settings describe it: one per process."""

from functools import cache as once

from django.conf import settings
from django.db import connection
from layers.breaker import Breaker
from layers.layered import Answer, LayeredCache, Source
from layers.leases import Leases, Ttl
from layers.local_layer import LocalLayer
from layers.tags import Tags, adopt
from layers.tracking import Tracking
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import metrics
from .checks import number
from .pages import PAGES

MINUTE_MS, DAY_MS = 60_000, 86_400_000
TTL = {
    "airport": Ttl(soft_ms=10 * MINUTE_MS, hard_ms=DAY_MS, lease_ms=3_000),
    # Two seconds: so that a reader of the write-up can watch them pass.
    "alternates": Ttl(soft_ms=2_000, hard_ms=DAY_MS, lease_ms=10_000),
}
REDIS_SECONDS = 1.0
EDGE_SECONDS = {
    "airport": 60,
    "alternates": 2,
    "absent": 10,
}  # in a CDN, unless it is purged before


@once
def redis() -> "Redis":
    """Return a client that waits a second at most, never retries, and purges a server it does not know."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=adopt,
    )


@once
def cache() -> LayeredCache:
    """Return this process's cache, with the tracking of its local layer running."""
    local = LocalLayer(number("LOCAL_LAYER_BYTES"))
    Tracking(local, settings.REDIS_URL, metrics.PUSH_LAG.observe).start()
    return LayeredCache(
        Leases(redis()),
        Tags(redis()),
        local,
        Breaker(),
        most_computations=number("COMPUTATIONS_PER_PROCESS"),
        note=metrics.note,
        after_refresh=connection.close,
    )


def shared(page: str, answer: Answer) -> str:
    """Return the Cache-Control of what everybody is served: what a purge may miss, no cache keeps."""
    if answer.source is Source.OVERTAKEN:
        return "no-store"
    if answer.source is Source.BYPASS:
        return "public, max-age=0, s-maxage=1"  # Redis is away: so are its purges
    seconds = EDGE_SECONDS["absent" if answer.value.absent else page]
    return f"public, max-age=0, s-maxage={seconds}, stale-while-revalidate=5"


def get(page: str, code: str, *, nearest: bool = True) -> Answer:
    """Return a page of an airport from the nearest layer; inside a transaction, from its own tables.

    A transaction may see what is not committed, or an older snapshot: neither belongs into a cache.
    """
    compute = PAGES[page]
    if connection.in_atomic_block:
        return cache().uncached(lambda: compute(code))
    return cache().get(f"{page}:{code}", lambda: compute(code), TTL[page], nearest=nearest)
