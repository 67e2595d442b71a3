"""The limiter as this project's settings describe it: the only module here that reads them."""

import hashlib
from collections.abc import Mapping
from functools import cache

from abuse.detector import Ewma, FixedThreshold
from abuse.watch import Watch
from django.conf import settings
from django.utils.module_loading import import_string
from limiter.breaker import Breaker
from limiter.cluster import ClusterStore
from limiter.connection import RedisStore
from limiter.identity import Proxies
from limiter.limiter import Limiter
from limiter.policy import RuleSet
from limiter.store import Store
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import metrics

DETECTORS = {detector.name: detector for detector in (Ewma, FixedThreshold)}


@cache
def rule_sets() -> Mapping[str, RuleSet]:
    """Return the rule sets by name; raises ValueError with one sentence for an impossible one."""
    return {rules.name: rules for rules in import_string(settings.LIMIT_RULES)}


@cache
def limiter(rules: str) -> Limiter:
    """Return the limiter of a rule set, one per process."""
    return Limiter(
        rule_sets()[rules],
        store(),
        secret=secret(),
        processes=processes(),
        observe=metrics.observe,
        breaker=breaker(),
    )


def describe(rules: str) -> list[str]:
    """Return the policies of a rule set in words."""
    return [
        f"{policy.name}: burst {policy.burst}, {policy.rate.count} per {policy.rate.seconds} s,"
        f" counted by {policy.scope}, {policy.on_failure} without Redis{', shadow' * policy.shadow}"
        for policy in rule_sets()[rules].policies
    ]


@cache
def store() -> Store:
    """Return where the buckets are: Redis, or the cluster if there is one; connects later."""
    if settings.REDIS_CLUSTER_URL:
        return ClusterStore(settings.REDIS_CLUSTER_URL)
    return RedisStore(settings.REDIS_URL)


@cache
def breaker() -> Breaker:
    """Return the one breaker of all limiters: they share the store that it watches."""
    return Breaker()


@cache
def redis() -> "Redis":
    """Return a client for what is not urgent: it may wait a second, and never retries."""
    try:
        return Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=1,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise ValueError(f"REDIS_URL is not the address of a Redis server: {error}") from error


@cache
def watch(detector: str) -> Watch:
    """Return this process's running watch with the named detector."""
    return Watch(DETECTORS[detector](), redis()).start()


@cache
def trusted_proxies() -> Proxies:
    """Return the proxies that are believed; raises ValueError for a malformed network."""
    return Proxies.parse(settings.TRUSTED_PROXIES)


@cache
def limited_paths() -> tuple[tuple[str, str], ...]:
    """Return prefixes and their rule sets, longest first."""
    return tuple(sorted(settings.LIMITED_PATHS.items(), key=lambda pair: -len(pair[0])))


@cache
def processes() -> int:
    """Return how many processes share a limit that each has to keep alone."""
    try:
        replicas, workers = (int(number) for number in settings.PROCESSES)
    except ValueError as error:
        raise ValueError(f"WEB_REPLICAS and WEB_CONCURRENCY are whole numbers: {error}") from error
    if replicas < 1 or workers < 1:
        raise ValueError("WEB_REPLICAS and WEB_CONCURRENCY are 1 or more")
    return replicas * workers


@cache
def secret() -> bytes:
    """Return the key of all hashes in Redis, which is not the SECRET_KEY itself."""
    return hashlib.sha256(b"limiter" + settings.SECRET_KEY.encode()).digest()
