"""What is wrong with the settings, in one sentence each, before the first process starts."""

from functools import partial
from typing import Any

from detector.clients import Proxies
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from kept import countries

PUBLISHED = "development-only-"  # how the key in compose.yml begins


@register(Tags.security)
def readable(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    proxies = partial(Proxies.parse, settings.TRUSTED_PROXIES)
    for name, read in (("TRUSTED_PROXIES", proxies), ("COUNTRIES", countries.check)):
        try:
            read()
        except Exception as error:  # a broken file has many
            found.append(checks.Error(f"{name}: {error}.", id=f"flights.{name}"))
    return found


@register(Tags.security, deploy=True)
def secret_key(**_: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY.startswith(PUBLISHED):
        sentence = "SECRET_KEY is the published one of compose.yml, for development only."
        return [checks.Warning(sentence, id="flights.W001")]
    return []
