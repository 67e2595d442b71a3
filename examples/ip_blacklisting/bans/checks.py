"""System checks: a mistake in the settings is one sentence at start-up, not a traceback later."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from bans import wiring

HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")


def sentence(number: str, attempt: Callable[[], object]) -> list[CheckMessage]:
    """Return what an attempt says when it fails."""
    try:
        attempt()
    except (ValueError, ImproperlyConfigured) as error:
        return [Error(str(error), id=f"bans.{number}")]
    return []


@register("bans")
def trusted_proxies_are_networks(**_: Any) -> list[CheckMessage]:
    return sentence("E001", wiring.proxies)


@register("bans")
def client_header_is_one_that_proxies_write(**_: Any) -> list[CheckMessage]:
    if settings.CLIENT_HEADER in HEADERS:
        return []
    wrong = f"CLIENT_HEADER is {settings.CLIENT_HEADER!r}, and not one of {', '.join(HEADERS)}"
    return [Error(wrong, id="bans.E002")]


@register("bans")
def redis_url_is_an_address(**_: Any) -> list[CheckMessage]:
    return sentence("E003", wiring.redis)
