"""System checks: a mistake in the settings is one sentence at start-up, not a traceback later.

`manage.py check` runs them all but the one that connects to Redis, which has to be asked for
(`--tag services`): a web process may start while Redis is down.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from limiter.store import StoreFailure
from redis.exceptions import RedisError

from . import configured

LIMITS = "limits"


def sentence(number: str, attempt: Callable[[], object]) -> list[CheckMessage]:
    """Return what an attempt says when it fails."""
    try:
        attempt()
    except (ValueError, ImproperlyConfigured, ImportError) as error:
        return [Error(str(error), id=f"edge.{number}")]
    return []


@register(LIMITS)
def policies_are_possible(**_: Any) -> list[CheckMessage]:
    return sentence("E001", configured.rule_sets)


@register(LIMITS)
def limited_paths_name_rule_sets(**_: Any) -> list[CheckMessage]:
    if policies_are_possible():
        return []
    known = configured.rule_sets()
    return [
        Error(f"LIMITED_PATHS: {path} has no rule set {rules!r} in LIMIT_RULES", id="edge.E002")
        for path, rules in settings.LIMITED_PATHS.items()
        if rules not in known
    ]


@register(LIMITS)
def trusted_proxies_are_networks(**_: Any) -> list[CheckMessage]:
    return sentence("E003", configured.trusted_proxies)


@register(LIMITS)
def processes_are_counted(**_: Any) -> list[CheckMessage]:
    return sentence("E004", configured.processes)


@register(LIMITS)
def secret_key_is_long(**_: Any) -> list[CheckMessage]:
    try:
        short = len(settings.SECRET_KEY) < 50
    except ImproperlyConfigured:  # what Django raises for an empty one
        short = True
    return [Error("SECRET_KEY is unset or shorter than 50 characters", id="edge.E005")] * short


@register(LIMITS)
def redis_url_is_an_address(**_: Any) -> list[CheckMessage]:
    return sentence("E006", configured.redis)


# Django skips what is tagged `database` until that tag, or another one of the check, is named.
@register("services", Tags.database)
def redis_answers(**_: Any) -> list[CheckMessage]:
    if redis_url_is_an_address():
        return []  # said already
    try:
        configured.redis().ping()
    except (RedisError, OSError) as error:
        where = f"REDIS_URL: no Redis answers at {shown(settings.REDIS_URL)}"
        return [Error(f"{where} ({error})", id="edge.E007")]
    try:
        configured.store().delete(["nothing"])
    except StoreFailure as error:
        where = f"REDIS_CLUSTER_URL: no cluster answers at {shown(settings.REDIS_CLUSTER_URL)}"
        return [Error(f"{where} ({error})", id="edge.E008")]
    return []


def shown(url: str) -> str:
    """Return the host, port and path of a URL, without its password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + parts.path
