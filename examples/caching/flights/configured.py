"""The layered cache as this project sets it up: one per process."""

from functools import cache as kept
from threading import Lock

from django.conf import settings
from django.db import connection
from layers.layered import Answer, LayeredCache
from layers.redis_layer import adopt
from layers.values import Source, Ttl, Value
from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from .gate import Gate
from .pages import PAGES

MINUTE_MS, DAY_MS = 60_000, 86_400_000
TTL = {
    "airport": Ttl(soft_ms=10 * MINUTE_MS, hard_ms=DAY_MS, lease_ms=2_000),
    # Two seconds: so that a reader of the write-up can watch them pass.
    "alternates": Ttl(soft_ms=2_000, hard_ms=DAY_MS, lease_ms=10_000),
}
COMPUTATIONS = 4  # of one process, in the database at a time
REDIS_SECONDS = 1.0
PATIENCE_SECONDS = 8.0
# In a CDN, unless it is purged before.
EDGE_SECONDS = {"airport": 60, "alternates": 1, "absent": 10}

# It purges a server that it does not know. It tries again, and at once, only where a connection was closed.
redis = Redis.from_url(
    settings.REDIS_URL,
    socket_timeout=REDIS_SECONDS,
    socket_connect_timeout=REDIS_SECONDS,
    retry=Retry(NoBackoff(), 1, (exceptions.ConnectionError,)),
    redis_connect_func=adopt,
)
gate = Gate(COMPUTATIONS, PATIENCE_SECONDS)


building = Lock()  # `functools.cache` lets each of a crowd that comes first build one


def cache() -> LayeredCache:
    """Return this process's cache."""
    with building:
        return built()


@kept
def built() -> LayeredCache:
    return LayeredCache(
        redis,
        in_transaction=lambda: connection.connection and not connection.autocommit,
        patience_seconds=PATIENCE_SECONDS,
        after_refresh=connection.close,
    )


def shared(page: str, answer: Answer) -> str:
    """Return the Cache-Control of what everybody is served: what a purge may miss, no cache keeps."""
    if answer.source is Source.OVERTAKEN:
        return "no-store"
    if answer.source is Source.BYPASS:
        return "public, max-age=0, s-maxage=1"  # Redis is away: so are its purges
    seconds = EDGE_SECONDS[page if answer.value.data else "absent"]
    return f"public, max-age=0, s-maxage={seconds}, stale-while-revalidate=2"


def get(page: str, code: str, *, nearest: bool = True) -> Answer:
    """Return a page of an airport from the nearest layer."""

    def compute() -> Value:
        return gate.run(lambda: PAGES[page](code))

    return cache().get(f"{page}:{code}", compute, TTL[page], nearest=nearest)
