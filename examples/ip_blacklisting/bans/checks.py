"""System checks: a mistake in the settings is one sentence at start-up, not a traceback later."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 -- Django's name

from . import configured

HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")
PUBLISHED = "development-only-"  # with which the key in compose.yml begins


def sentence(number: str, attempt: Callable[[], object]) -> list[CheckMessage]:
    """Return what an attempt says when it fails."""
    try:
        attempt()
    except ValueError as error:
        return [Error(str(error), id=f"bans.{number}")]
    return []


@register("bans")
def trusted_proxies_are_networks(**_: Any) -> list[CheckMessage]:
    return sentence("E001", configured.proxies)


@register("bans")
def client_header_is_one_that_proxies_write(**_: Any) -> list[CheckMessage]:
    header = getattr(settings, "CLIENT_HEADER", HEADERS[0])
    if header in HEADERS:
        return []
    wrong = f"CLIENT_HEADER is {header!r}, and not one of {', '.join(HEADERS)}"
    return [Error(wrong, id="bans.E002")]


@register("bans")
def redis_url_is_an_address(**_: Any) -> list[CheckMessage]:
    return sentence("E003", configured.redis)


@register(Tags.security, deploy=True)
def secret_key_is_not_the_published_one(**_: Any) -> list[CheckMessage]:
    if not settings.SECRET_KEY.startswith(PUBLISHED):
        return []
    said = "SECRET_KEY is the one that compose.yml publishes: whoever reads it can sign for this service"
    return [Warning(said, hint="Set 50 random characters of your own.", id="bans.W001")]
