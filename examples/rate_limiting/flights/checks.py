"""System checks: what a deployment gets wrong is one sentence before the first process starts.

The one that connects to Redis has to be asked for (`--tag services`): a web process may start while
Redis is down. So has the one that asks the running site (`--tag site`).
"""

import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.core.exceptions import ImproperlyConfigured
from limiter.store import RedisStore, StoreFailure, client
from limiter.token_bucket import TokenBucket
from redis import Redis
from redis.exceptions import RedisError

from .limits import RULES

DEVELOPMENT_KEY = "development-only-"  # begins the one that compose.yml publishes
PATIENCE_SECONDS = 10  # no request waits for a check, and a slow answer is no mistake in a setting
SLOTS = 16  # keys of so many clients lie on every node of a cluster, but for one time in a million


@register("limits")
def secret_key_is_long(**_: Any) -> list[CheckMessage]:
    short = True
    with suppress(ImproperlyConfigured):  # what Django raises for an empty one
        short = len(settings.SECRET_KEY) < 50
    return [Error("SECRET_KEY is unset or shorter than 50 characters", id="flights.E001")] * short


@register(Tags.security, deploy=True)
def secret_key_is_secret(**_: Any) -> list[CheckMessage]:
    if secret_key_is_long() or not settings.SECRET_KEY.startswith(DEVELOPMENT_KEY):
        return []
    says = "SECRET_KEY is the one that compose.yml publishes; bring a random one of your own"
    return [Info(says, id="flights.I001")]


# Django skips what is tagged `database` until that tag, or another one of the check, is named.
@register("services", Tags.database)
def redis_decides(**_: Any) -> list[CheckMessage]:
    """Run the script itself, for clients of several slots: a PING succeeds where it does not."""
    redis = client(settings.REDIS_URL, connect_seconds=PATIENCE_SECONDS)
    store = RedisStore(redis, timeout_seconds=PATIENCE_SECONDS)
    bucket = TokenBucket(RULES["airports"], store, secret=uuid.uuid4().bytes)
    try:
        for number in range(SLOTS):
            bucket.take(f"check-{number}")
    except StoreFailure as failure:
        says = f"REDIS_URL: {shown(settings.REDIS_URL)} {reason(str(failure))}"
        return [Error(says, id="flights.E003")]
    return eviction(redis)


def reason(failure: str) -> str:
    """Return why Redis does not decide, in words of somebody who has to mend it."""
    if failure.startswith(("MovedError", "ClusterDownError")):
        return "is a node of a cluster: give RedisStore a RedisCluster (see OPERATING.md)"
    if "permission" in failure.lower():  # of the script, or of a command that it calls
        return f"does not let this user run the script; its ACL is in OPERATING.md ({failure})"
    return f"does not decide ({failure})"


def eviction(redis: "Redis") -> list[CheckMessage]:
    """Name what Redis forgets when its memory is full."""
    try:
        memory: Any = redis.info("memory")
    except RedisError:
        return []  # INFO is not needed otherwise, and may be forbidden
    policy, most = memory["maxmemory_policy"], memory["maxmemory"]
    if policy == "volatile-ttl" and most:
        return []
    has = f"maxmemory-policy {policy}" if most else "no maxmemory"
    says = f"Redis has {has}; with a maxmemory, volatile-ttl forgets the fullest buckets first"
    return [Info(says, id="flights.I004")]


@register("site")
def a_second_spelling_names_nobody(**_: Any) -> list[CheckMessage]:
    """Ask at SITE_URL in two made-up names: who cannot forge one has less left the second time."""
    if not settings.SITE_URL:
        return []
    try:
        limits = {limit_of_somebody_new() for _ in range(2)}
    except (OSError, ValueError) as error:
        return [Error(f"SITE_URL tells no limit: {error}", id="flights.E005")]
    says = "X_Forwarded_For names any client: a server keeps names with `_` (see OPERATING.md)"
    return [Error(says, id="flights.E006")] * (len(limits) == 1)


def limit_of_somebody_new() -> str:
    """Return what is left to who says so with `_`; raises OSError or ValueError if there is no limit."""
    url = f"{settings.SITE_URL}/api/token_bucket/tiered/airports/JFK/"
    asked = Request(url)  # noqa: S310 -- the operator's own address
    asked.add_header("X_Forwarded_For", f"2001:db8:{uuid.uuid4().hex[:4]}::1")
    with urlopen(asked, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
        [limit] = answer.headers.get_all("RateLimit", [])
    return str(limit)


def shown(url: str) -> str:
    """Return the host, port and path of a URL, without its password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + parts.path
