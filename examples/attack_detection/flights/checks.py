"""What is wrong with the settings, in one sentence each, before the first process starts."""

from typing import Any

from detector.clients import Proxies
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

PUBLISHED = "development-only-"  # how the key in compose.yml begins


@register(Tags.security)
def trusted_proxies(**_: Any) -> list[CheckMessage]:
    try:
        Proxies.parse(settings.TRUSTED_PROXIES)
    except ValueError as error:
        return [checks.Error(f"TRUSTED_PROXIES: {error}.", id="flights.E001")]
    return []


@register(Tags.security, deploy=True)
def secret_key(**_: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY.startswith(PUBLISHED):
        sentence = "SECRET_KEY is the published one of compose.yml, for development only."
        return [checks.Warning(sentence, id="flights.W001")]
    return []
