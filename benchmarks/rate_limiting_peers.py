"""The limiters that are measured, each set up as its own documentation says.

All of them limit a client to so many requests a day: within the minute of a run nothing refills,
so that every count is exact.
"""

# mypy: disable-error-code="import-not-found"
# The peers are installed where this runs, not where it is checked.

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import limits
import throttled
from django.conf import settings
from django.test import RequestFactory
from django_ratelimit.core import is_ratelimited
from limiter.limiter import Limiter
from limiter.policy import Policy, Rate, RuleSet
from limiter.store import RedisStore, client
from pyrate_limiter import BucketFactory, Duration, RateItem, RedisBucket
from pyrate_limiter import Limiter as PyrateLimiter
from pyrate_limiter import Rate as PyrateRate
from redis import Redis
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

DAY_SECONDS = 86_400

type Decide = Callable[[str], bool]
type Make = Callable[[str, int], Decide]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A row of the table: *make* turns a Redis URL and a limit into a decision on a client."""

    name: str
    make: Make
    calls: int = 150  # of a timed batch
    only_refuses: bool = False


def ping(url: str, _limit: int) -> Decide:
    """Decide nothing: the round trip through redis-py and hiredis that everything is compared to."""
    redis = Redis.from_url(url)
    return lambda _: bool(redis.ping())


def token_bucket(url: str, limit: int) -> Decide:
    """Decide in Redis each time, as a refusal is kept in memory for no time."""
    return _ours(url, (Policy("client", limit, Rate(limit, DAY_SECONDS)),), kept_us=0)


def three_policies(url: str, limit: int) -> Decide:
    policies = (
        Policy("client", limit, Rate(limit, DAY_SECONDS)),
        Policy("more", 10**6, Rate(10**6, DAY_SECONDS)),
        Policy("most", 10**7, Rate(10**7, DAY_SECONDS)),
    )
    return _ours(url, policies, kept_us=0)


def hot_client(url: str, limit: int) -> Decide:
    """Decide as it is used: who was just refused is refused from memory, for a second."""
    return _ours(url, (Policy("hot", limit, Rate(limit, DAY_SECONDS)),), kept_us=1_000_000)


def _ours(url: str, policies: tuple[Policy, ...], *, kept_us: int) -> Decide:
    # A stall of a busy machine is to be measured, not to be bridged by a local bucket.
    store = RedisStore(client(url), timeout_seconds=5)
    rules = RuleSet(f"bench-{len(policies)}", policies)
    limiter = Limiter(rules, store, secret=b"benchmark")
    limiter.refusals.longest_us = kept_us
    return lambda client: limiter.decide(client).allowed


def of_limits(strategy: str, url: str, limit: int) -> Decide:
    limiter = limits.strategies.STRATEGIES[strategy](limits.storage.storage_from_string(url))
    rate = limits.parse(f"{limit}/day")
    return lambda client: bool(limiter.hit(rate, strategy, client))


def pyrate_limiter(url: str, limit: int) -> Decide:
    limiter = PyrateLimiter(_BucketPerClient(Redis.from_url(url), limit))
    return lambda client: bool(limiter.try_acquire(client, blocking=False))


class _BucketPerClient(BucketFactory):  # type: ignore[misc]  # its base has no types here
    """The PerNameFactory of pyrate-limiter's README, with the bucket for Redis."""

    def __init__(self, redis: "Redis", limit: int) -> None:
        self.redis, self.rates = redis, [PyrateRate(limit, Duration.DAY)]
        self.buckets: dict[str, RedisBucket] = {}

    def wrap_item(self, name: str, weight: int = 1) -> RateItem:
        return RateItem(name, time.time_ns() // 1_000_000, weight=weight)

    def get(self, item: RateItem) -> RedisBucket:
        if item.name not in self.buckets:
            bucket = RedisBucket.init(self.rates, self.redis, f"pyrate:{item.name}")
            self.schedule_leak(bucket)
            self.buckets[item.name] = bucket
        return self.buckets[item.name]


def smart_ratelimit(url: str, limit: int) -> Decide:
    settings.RATELIMIT_BACKEND = "redis"
    settings.RATELIMIT_REDIS = {"url": url}
    from django_smart_ratelimit.algorithms import TokenBucketAlgorithm
    from django_smart_ratelimit.backends import get_backend

    backend, algorithm = get_backend(), TokenBucketAlgorithm()
    return lambda client: bool(algorithm.is_allowed(backend, client, limit, DAY_SECONDS)[0])


def throttled_py(using: str, url: str, limit: int) -> Decide:
    store = throttled.store.RedisStore(server=url)
    quota = throttled.rate_limiter.per_day(limit, burst=limit)
    throttle = throttled.Throttled(using=using, quota=quota, store=store)
    return lambda client: not throttle.limit(client).limited


def django_ratelimit(cache: str, _url: str, limit: int) -> Decide:
    rate, request_from = f"{limit}/d", _requests()

    def decide(client: str) -> bool:
        settings.RATELIMIT_USE_CACHE = cache
        request = request_from(client)
        return not is_ratelimited(request, cache, key="ip", rate=rate, increment=True)

    return decide


def drf(_url: str, limit: int) -> Decide:
    throttle = type("DailyThrottle", (AnonRateThrottle,), {"rate": f"{limit}/day"})
    view, request_from = APIView(), _requests()
    return lambda client: bool(throttle().allow_request(Request(request_from(client)), view))


def _requests() -> Callable[[str], Any]:
    """Return a cache of requests by address: making one is not the limiter's cost."""
    made: dict[str, Any] = {}

    def request_from(client: str) -> Any:
        if client not in made:
            made[client] = RequestFactory().get("/", REMOTE_ADDR=client)
        return made[client]

    return request_from


PING = Contestant("PING", ping)
OURS = Contestant("token bucket", token_bucket)
THREE = Contestant("token bucket, three policies", three_policies)
HOT = Contestant("token bucket, refused hot client", hot_client, 20_000, only_refuses=True)
REDIS_CACHE = Contestant("django-ratelimit, RedisCache", partial(django_ratelimit, "default"))
DRF = Contestant("DRF AnonRateThrottle, RedisCache", drf)
PEERS = (
    Contestant("limits, fixed window", partial(of_limits, "fixed-window")),
    Contestant("limits, moving window", partial(of_limits, "moving-window")),
    Contestant("limits, sliding window counter", partial(of_limits, "sliding-window-counter")),
    Contestant("pyrate-limiter", pyrate_limiter),
    Contestant("django-smart-ratelimit, token bucket", smart_ratelimit),
    Contestant("throttled-py, token bucket", partial(throttled_py, "token_bucket")),
    Contestant("throttled-py, GCRA", partial(throttled_py, "gcra")),
    REDIS_CACHE,
    Contestant("django-ratelimit, django-redis", partial(django_ratelimit, "django-redis")),
    DRF,
)
ALL = (OURS, THREE, HOT, *PEERS)
PACKAGES = (
    "django",
    "django-ratelimit",
    "django-redis",
    "django-smart-ratelimit",
    "djangorestframework",
    "hiredis",
    "limits",
    "pyrate-limiter",
    "redis",
    "throttled-py",
)
