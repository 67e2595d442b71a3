"""What `manage.py check` says beyond Django's own checks."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.db import OperationalError, connection

PUBLISHED = "development-only-"  # how the key in compose.yml begins


# Django skips what is tagged `database` until that tag, or another one of the check, is named.
@register("services", Tags.database)
def postgres_answers(**_: Any) -> list[CheckMessage]:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        said = str(error).strip().splitlines()[-1].strip()
        return [Error(f"DATABASE_URL: no PostgreSQL answers: {said}", id="flights.E001")]
    return []


@register(Tags.security, deploy=True)
def secret_key_is_your_own(**_: Any) -> list[CheckMessage]:
    if not settings.SECRET_KEY.startswith(PUBLISHED):
        return []
    # No warning: `docker compose up` begins with this key, and has to go on.
    words = "SECRET_KEY is the one that compose.yml publishes: bring your own 50 random characters."
    return [Info(words, id="flights.I001")]
