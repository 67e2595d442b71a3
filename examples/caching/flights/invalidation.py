"""Who hears of a change of an airport: each variant in its own way."""

import logging
from typing import Any

from django.core.cache import cache as stock
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from redis.exceptions import RedisError

from . import configured
from .models import Airport
from .pages import PAGES
from .variants import key

logger = logging.getLogger(__name__)


@receiver([post_save, post_delete], sender=Airport)
def purge_after_commit(instance: Airport, **_: Any) -> None:
    """Once the change is visible to everybody; never, if it is rolled back."""
    code = instance.code
    # Not alone: the trigger has written the same purge into the outbox. This one is earlier.
    transaction.on_commit(lambda: configured.cache().purge([f"airport:{code}"]), robust=True)
    transaction.on_commit(lambda: delete(code), robust=True)


def delete(code: str) -> None:
    """The variants `lock` and `dogpile`: delete what they keep."""
    names = [
        stock.make_key(key(each, page, code)) for each in ("lock", "dogpile") for page in PAGES
    ]
    try:
        # None may hold up an edit for the others: Django's client would wait longer for a frozen Redis.
        configured.redis.delete(*names)
    except RedisError:
        logger.warning("the pages of %s stay as they are", code)
