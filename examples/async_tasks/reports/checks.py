"""What `manage.py check --deploy` says beyond Django's own checks."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, register

PUBLISHED = "development-only-"  # with which the SECRET_KEY of compose.yml begins


@register(Tags.security, deploy=True)
def published_key(**_: Any) -> list[CheckMessage]:
    """Tell of a key that everybody can read; the release of `docker compose up` goes on with it."""
    if not settings.SECRET_KEY.startswith(PUBLISHED):
        return []
    said = "SECRET_KEY is the one that compose.yml publishes; set one of your own before others connect."
    return [Info(said, id="reports.I001")]
