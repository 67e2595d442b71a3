"""What is committed goes to the stream, by whoever notices that it is not there yet."""

import logging
from concurrent.futures import ThreadPoolExecutor, wait

from django.db import connection
from redis.exceptions import RedisError
from shield.replica import Change as Applied

from . import configured, stream
from .models import Change

PATIENCE_SECONDS = 0.25

_publisher = ThreadPoolExecutor(1, thread_name_prefix="publisher")
logger = logging.getLogger(__name__)


def publish_soon() -> None:
    """Publish in another thread, and wait a moment for it: a Redis that is gone must not hold a request."""
    wait([_publisher.submit(_publish)], timeout=PATIENCE_SECONDS)


def _publish() -> None:
    try:
        publish()
    finally:
        connection.close()  # this thread's


def publish() -> None:
    """Append to the stream what it does not have yet; without Redis the processes ask the database.

    If the last change there is not the database's, it tells of another past: a restore. It begins anew.
    """
    try:
        seq, mark = stream.last(configured.redis())
        found = Change.objects.filter(seq__gte=seq).order_by("-seq")[: stream.KEPT]
        changes = [Applied(each.seq, each.mark, each.previous, each.after) for each in found][::-1]
        if seq and (not changes or (changes[0].seq == seq and changes[0].mark != mark)):
            configured.redis().delete(stream.KEY)
            publish()
        else:
            stream.publish(configured.redis(), [each for each in changes if each.seq > seq])
    except RedisError as error:
        logger.warning("a change was committed, but Redis does not answer: %s", error)
