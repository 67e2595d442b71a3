"""The limiters as this project's settings describe them."""

import hashlib
from functools import cache

from django.conf import settings
from limiter.limiter import Limiter
from limiter.store import RedisStore, client
from redis import Redis

from .limits import RULES


@cache
def limiter(rules: str) -> Limiter:
    """Return the limiter of a rule set, one per process."""
    return Limiter(RULES[rules], store(), secret=secret(), processes=settings.PROCESSES)


@cache
def redis() -> "Redis":
    """Return the client of the limiters; connects later."""
    return client(settings.REDIS_URL)


@cache
def store() -> RedisStore:
    """Return where the buckets are; all limiters share it, and what it knows about Redis being away."""
    return RedisStore(redis(), timeout_seconds=settings.REDIS_TIMEOUT_SECONDS)


def secret() -> bytes:
    """Return the key of all hashes in Redis, which is not the SECRET_KEY itself."""
    return hashlib.sha256(b"limiter" + settings.SECRET_KEY.encode()).digest()
