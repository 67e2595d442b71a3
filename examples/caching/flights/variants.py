"""Six ways to cache one page, from none to the solution."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.cache import cache as stock
from django.views.decorators.cache import cache_page
from dogpile.cache import make_region
from dogpile.cache.region import CacheRegion

from . import configured
from .pages import PAGES

# Of the stock ways; the layered one is fresh for as long, see `configured.TTL`.
TIMEOUT_SECONDS = {"airport": 600, "alternates": 2}
LOCK_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Found:
    """The bytes of a page (none: there is no such airport), and what only the solution knows of them."""

    data: bytes
    source: str = ""
    tags: tuple[str, ...] = ()
    shared: str = ""  # Cache-Control for what everybody is served


type Find = Callable[[str, str, bool], Found]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to find a page; `wrap` is what it puts around the view instead."""

    name: str
    about: str
    find: Find
    wrap: Callable[[str], Callable[[Any], Any]] = lambda _: lambda view: view

    @property
    def paths(self) -> dict[str, str]:
        return {
            "airport": f"/api/{self.name}/airports/{{code}}/",
            "alternates": f"/api/{self.name}/airports/{{code}}/alternates/",
        }


def key(variant: str, page: str, code: str) -> str:
    return f"{variant}:{page}:{code}"


def uncached(page: str, code: str, _nearest: bool) -> Found:
    return Found(PAGES[page](code).data)


def get_or_set(page: str, code: str, _nearest: bool) -> Found:
    name, timeout_seconds = key("get_or_set", page, code), TIMEOUT_SECONDS[page]
    return Found(stock.get_or_set(name, lambda: PAGES[page](code).data, timeout_seconds) or b"")


def lock(page: str, code: str, _nearest: bool) -> Found:
    """Compute under a lock without a token: it cannot tell that it has expired, or whose it is."""
    name = key("lock", page, code)
    while (data := stock.get(name)) is None:
        if stock.add(f"{name}:lock", 1, LOCK_SECONDS):
            data = PAGES[page](code).data
            stock.set(name, data, TIMEOUT_SECONDS[page])
            stock.delete(f"{name}:lock")
            break
        time.sleep(0.02)
    return Found(data)


@once
def region(page: str) -> "CacheRegion":
    """Return a region as dogpile.cache's documentation sets it up for several processes."""
    # It names its keys as Django's cache does: `invalidation` deletes them with a timeout.
    return make_region(key_mangler=stock.make_key).configure(
        "dogpile.cache.redis",
        expiration_time=TIMEOUT_SECONDS[page],
        arguments={
            "url": settings.REDIS_URL,
            "redis_expiration_time": 2 * TIMEOUT_SECONDS["airport"],
            "distributed_lock": True,
            "lock_timeout": 30,
            "thread_local_lock": False,
        },
    )


def dogpile(page: str, code: str, _nearest: bool) -> Found:
    name, cached = key("dogpile", page, code), region(page)
    return Found(cached.get_or_create(name, lambda: PAGES[page](code).data))


def layered(page: str, code: str, nearest: bool) -> Found:
    answer = configured.get(page, code, nearest=nearest)
    shared = configured.shared(page, answer)
    return Found(answer.value.data, answer.source, answer.value.tags, shared)


VARIANTS: tuple[Variant, ...] = (
    Variant("uncached", "no cache", uncached),
    Variant(
        "cache_page",
        "Django's cache_page around the view",
        uncached,
        lambda page: cache_page(TIMEOUT_SECONDS[page]),
    ),
    Variant("get_or_set", "Django's cache.get_or_set with a TTL", get_or_set),
    Variant("lock", "a lock by SET NX around the computation, deleted after commit", lock),
    Variant("dogpile", "dogpile.cache with its distributed lock, deleted after commit", dogpile),
    Variant("layered", "leases, tags, a local layer and an outbox", layered),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    VARIANTS += (Variant("mine", "your own", import_module(settings.MINE).find),)
