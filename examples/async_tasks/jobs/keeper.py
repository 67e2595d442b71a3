"""What looks after jobs from outside: lost runs are sent again, dead letters become rows.

One keeper is active at a time: the one that holds an advisory lock of the database.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from . import sql
from .ends import bury
from .models import DeadLetter, Job
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
        swept = sql.rows(
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


def dead_letter(body: bytes | str, headers: Mapping[str, Any]) -> None:
    """Keep a message that the broker gave up, with its reason, and bury its job.

    Of a group it is not known which job was the reason: those that were begun are sent again, each alone.
    """
    deaths = headers.get("x-death") or [{}]
    reason = str(deaths[0].get("reason") or "unknown")
    detail = json.dumps({"headers": headers, "body": str(body)[:2000]}, default=str)
    jobs = jobs_of(headers)
    if len(jobs) > 1:
        sql.rows("release", jobs=jobs)
    elif jobs:
        bury(jobs[0], reason, detail)
    else:
        DeadLetter.objects.create(reason=reason, detail=sql.storable(detail))
    logger.error("dead letter of jobs %s: %s", [str(job) for job in jobs], reason)


def jobs_of(headers: Mapping[str, Any]) -> list[UUID]:
    """Return the jobs a message is about, of those there are."""
    try:
        asked = [UUID(job) for job in headers["jobs"]]  # the relay writes them there
    except (KeyError, ValueError, TypeError, AttributeError):
        return []
    return list(Job.objects.filter(id__in=asked).values_list("id", flat=True))


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
        time.sleep(max(0, EVERY_SECONDS - (time.monotonic() - began)))
