"""Who hears of a change of an airport: each variant in its own way."""

import logging
from typing import Any

from django.core.cache import caches
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.connection import ConnectionProxy
from redis.exceptions import RedisError

from . import configured
from .models import Airport
from .variants import key

logger = logging.getLogger(__name__)

PAGES = ("airport", "alternates")
# All variants hear of an edit, so none may hold it up for the others: the usual client would wait for a
# frozen Redis without end, in a transaction.
stock = ConnectionProxy(caches, "edits")


@receiver([post_save, post_delete], sender=Airport)
def delete_at_once(instance: Airport, **_: Any) -> None:
    """The variant `signals`: delete when the model is saved, committed or not."""
    try:
        stock.delete_many([key("signals", page, instance.code) for page in PAGES])
    except RedisError:
        logger.warning("the pages of %s stay as they are", instance.code)


@receiver([post_save, post_delete], sender=Airport)
def purge_after_commit(instance: Airport, **_: Any) -> None:
    """The other ones: once the change is visible to everybody; never, if it is rolled back."""
    code = instance.code
    # Not alone: the trigger has written the same purge into the outbox. This one is earlier.
    transaction.on_commit(lambda: configured.cache().purge([f"airport:{code}"]), robust=True)
    transaction.on_commit(lambda: delete_elsewhere(code), robust=True)


def delete_elsewhere(code: str) -> None:
    """The variants `lock` and `dogpile`: delete; what a region's own `delete` sends, with a timeout."""
    try:
        stock.delete_many([key("lock", page, code) for page in PAGES])
        configured.redis().delete(*(key("dogpile", page, code) for page in PAGES))
    except RedisError:
        logger.warning("the pages of %s stay as they are", code)
