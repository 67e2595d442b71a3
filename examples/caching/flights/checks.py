"""What a deployment is told before it starts: the published key, and a Redis that is of no use."""

from typing import Any

from django.conf import settings
from django.core import checks
from redis import Redis, exceptions


@checks.register(checks.Tags.security, deploy=True)
def secret_key_is_own(**_: Any) -> list[checks.CheckMessage]:
    words = "SECRET_KEY is the published development one of compose.yml: bring your own."
    is_published = settings.SECRET_KEY.startswith("development-only-")
    return [checks.Info(words, id="flights.I001")] if is_published else []


@checks.register(checks.Tags.caches, deploy=True)
def redis_lets_us_in(**_: Any) -> list[checks.CheckMessage]:
    """Say why Redis refuses us; one that is away is no mistake: pages are served without it."""
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
        ) as redis:
            policy = redis.info("memory").get("maxmemory_policy")
    except exceptions.RedisError as error:
        refused = isinstance(error, exceptions.AuthenticationError | exceptions.ResponseError)
        return (
            [checks.Warning(f"REDIS_URL is refused: {error}", id="flights.W002")] if refused else []
        )
    sentence = f"Redis evicts ({policy}), and would forget purges: maxmemory-policy noeviction."
    return [] if policy == "noeviction" else [checks.Warning(sentence, id="flights.W003")]
