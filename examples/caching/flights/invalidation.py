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
from .pages import PAGES
from .variants import key

logger = logging.getLogger(__name__)

# All variants hear of an edit, so none may hold it up for the others: the usual client would wait for a
# frozen Redis without end, in a transaction.
stock = ConnectionProxy(caches, "edits")


@receiver([post_save, post_delete], sender=Airport)
def delete_at_once(instance: Airport, **_: Any) -> None:
    """The variant `signals`: delete when the model is saved, committed or not."""
    delete(instance.code, "signals")


@receiver([post_save, post_delete], sender=Airport)
def purge_after_commit(instance: Airport, **_: Any) -> None:
    """The other ones: once the change is visible to everybody; never, if it is rolled back."""
    code = instance.code
    # Not alone: the trigger has written the same purge into the outbox. This one is earlier.
    transaction.on_commit(lambda: configured.cache().purge([f"airport:{code}"]), robust=True)
    transaction.on_commit(lambda: delete(code, "lock", "dogpile"), robust=True)


def delete(code: str, *variants: str) -> None:
    try:
        stock.delete_many([key(variant, page, code) for variant in variants for page in PAGES])
    except RedisError:
        logger.warning("the pages of %s stay as they are", code)
