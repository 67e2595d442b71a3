"""What looks after jobs from outside: those that are lost are sent again, or given up.

One keeper is active at a time: the one that holds an advisory lock of the database.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from django.db import connection, transaction

from . import sql
from .ends import bury
from .run import Policy

logger = logging.getLogger(__name__)

LOCK: Final = 0x6A6F6273  # "jobs"
EVERY_SECONDS: Final = 1.0


def is_active() -> bool:
    """Whether this process holds the keeper's lock, which ends with its connection to the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
            " AND pid = pg_backend_pid()) OR pg_try_advisory_lock(%s)",
            [LOCK, LOCK],
        )
        return bool((cursor.fetchone() or [False])[0])


def sweep(policy: Policy, unseen_seconds: float, depths: Mapping[str, int] | None) -> int:
    """Send again every job that nobody runs, and bury those lost too often; return how many there were.

    Args:
        depths: waiting messages by queue; None: no broker answers, and nothing is said about what it holds.
    """
    empty = [queue for queue, depth in (depths or {}).items() if depth == 0]
    with transaction.atomic():
        swept = sql.by_index(
            "sweep", most_losses=policy.most_losses, unseen=unseen_seconds, empty=empty
        )
        for job, given_up in swept:
            if given_up:
                bury(job, "lost too often", "runs ended without a word")
    for job, given_up in swept:
        logger.warning(
            "job %s was lost, %s", job, "and is dead" if given_up else "and is sent again"
        )
    return len(swept)


def keep(duties: Mapping[str, Callable[[], object]], alive: Callable[[], None]) -> None:
    """Carry out the duties each second, for ever; one that fails does not keep the others from theirs."""
    while True:
        began = time.monotonic()
        alive()
        try:
            active = is_active()
        except Exception as error:
            logger.warning("the keeper has no database: %s", error)
            connection.close()
            active = False
        for name, duty in duties.items() if active else ():
            try:
                duty()
            except Exception as error:
                logger.warning("%s: %s: %s", name, type(error).__name__, error)
                connection.close()  # it may lead to a server that takes no writes any more
        time.sleep(max(0, EVERY_SECONDS - (time.monotonic() - began)))
