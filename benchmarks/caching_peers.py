"""The caches that are measured, each set up as its own documentation says.

All of them are asked alike: for a key, with a function that computes it if it is missing.
"""

# mypy: disable-error-code="import-not-found"
# The peers are installed where this runs, not where it is checked.

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from cashews import Cache
from django.core.cache import caches
from dogpile.cache import make_region
from flights import configured
from layers.layered import LayeredCache
from layers.values import Ttl, Value

TTL_SECONDS = 600
TTL = Ttl(soft_ms=TTL_SECONDS * 1000, hard_ms=TTL_SECONDS * 1000, lease_ms=10_000)

type Compute = Callable[[], Value]
type Get = Callable[[str, Compute], object]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A row of the table.

    Attributes:
        make: turns a Redis URL into a cache.
        calls: of a timed batch of hits.
        misses: whether a miss of it is another row's.
    """

    name: str
    make: Callable[[str], Get]
    calls: int = 200
    misses: bool = True


def django_get(alias: str, _url: str) -> Get:
    """Nothing but `cache.get` for a hit, and what everybody writes around it for a miss."""
    cache = caches[alias]

    def get(key: str, compute: Compute) -> object:
        if (found := cache.get(key)) is None:
            found = compute().data
            cache.set(key, found, TTL_SECONDS)
        return found

    return get


def django_get_or_set(_url: str) -> Get:
    cache = caches["default"]
    return lambda key, compute: cache.get_or_set(key, lambda: compute().data, TTL_SECONDS)


def dogpile(url: str) -> Get:
    region = make_region().configure(
        "dogpile.cache.redis",
        expiration_time=TTL_SECONDS,
        arguments={
            "url": url,
            "redis_expiration_time": 2 * TTL_SECONDS,
            "distributed_lock": True,
            "thread_local_lock": False,
        },
    )
    return lambda key, compute: region.get_or_create(f"dogpile:{key}", lambda: compute().data)


class Loop:
    """An event loop in a thread of its own, for a cache that has no other interface.

    A hit is timed inside of it, by `many`: crossing threads is not the cache's cost.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


class Cashews:
    def __init__(self, client_side: bool, url: str) -> None:
        self.loop, self.cache = Loop(), Cache()
        self.cache.setup(url, client_side=client_side)

        @self.cache(ttl=TTL_SECONDS, key="cashews:{key}")
        async def page(key: str, compute: Compute) -> bytes:  # noqa: ARG001 -- names the key
            return (await asyncio.to_thread(compute)).data

        self.page = page

    def __call__(self, key: str, compute: Compute) -> object:
        return self.loop.run(self.page(key, compute))

    def many(self, keys: list[str], compute: Compute) -> None:
        async def work() -> None:
            for key in keys:
                await self.page(key, compute)

        self.loop.run(work())


def layered(nearest: bool, _url: str) -> Get:
    """As the example's settings wire it."""
    cache = LayeredCache(configured.redis, in_transaction=lambda: False)
    return lambda key, compute: cache.get(key, compute, TTL, nearest=nearest).value


DJANGO = Contestant("Django RedisCache, cache.get and set", partial(django_get, "default"))
LOCAL = Contestant("layered, local layer", partial(layered, True), 20_000, misses=False)
REDIS = Contestant("layered, Redis", partial(layered, False))
PEERS = (
    Contestant("Django RedisCache, get_or_set", django_get_or_set),
    Contestant("django-redis, cache.get and set", partial(django_get, "django-redis")),
    Contestant("dogpile.cache, distributed lock", dogpile),
    Contestant("cashews", partial(Cashews, False)),
    Contestant("cashews, client side", partial(Cashews, True), 2_000, misses=False),
)
ALL = (DJANGO, LOCAL, REDIS, *PEERS)
PACKAGES = ("cashews", "django", "django-redis", "dogpile.cache", "hiredis", "redis")
