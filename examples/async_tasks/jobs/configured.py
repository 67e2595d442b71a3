"""The solution as this project's settings describe it."""

from functools import cache

from django.conf import settings

from .backoff import Backoff
from .runs import Policy


@cache
def policy() -> Policy:
    return Policy(
        lease=settings.LEASE_SECONDS,
        most_attempts=settings.MOST_ATTEMPTS,
        most_losses=settings.MOST_LOSSES,
        backoff=Backoff(settings.BACKOFF_SECONDS, settings.BACKOFF_CAP_SECONDS),
    )
