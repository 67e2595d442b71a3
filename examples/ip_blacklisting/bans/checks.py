"""System checks: a mistake in the settings is one sentence at start-up, not a traceback later."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 -- Django's name

from . import configured

HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")
PUBLISHED = "development-only-"  # with which the key in compose.yml begins


@register("bans")
def settings_can_be_read(**_: Any) -> list[CheckMessage]:
    wrong = []
    made = {"TRUSTED_PROXIES": configured.proxies, "REDIS_URL": configured.redis}
    for name, attempt in made.items():
        try:
            attempt()
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    header = getattr(settings, "CLIENT_HEADER", HEADERS[0])
    if header not in HEADERS:
        wrong.append(f"CLIENT_HEADER is {header!r}, and not one of {', '.join(HEADERS)}")
    return [Error(sentence, id="bans.E001") for sentence in wrong]


@register(Tags.security, deploy=True)
def secret_key_is_not_the_published_one(**_: Any) -> list[CheckMessage]:
    if not settings.SECRET_KEY.startswith(PUBLISHED):
        return []
    said = "SECRET_KEY is the one that compose.yml publishes: whoever reads it can sign for this service"
    return [Warning(said, hint="Set 50 random characters of your own.", id="bans.W001")]
