"""The relay's second duty: look after what is lost, from outside; a job that nobody runs is sent again."""

import logging
from typing import Final

from . import sql
from .run import Policy

logger = logging.getLogger(__name__)

MOST: Final = 5_000  # jobs of a sweep: it takes a second, in which the other duties wait


def sweep(queue: str, waiting: int, policy: Policy, most: int = MOST) -> int:
    """Send jobs of *queue* again that nobody runs, and return how many; what is left has the next sweep.

    Several relays may do so at once: rows that another one has are skipped.

    Args:
        waiting: messages in the broker's queue; what was sent and is not begun may be one of them.
    """
    lost = sql.by_index(
        "sweep", queue=queue, empty=not waiting, unseen=policy.unseen_seconds, most=most
    )
    for (job,) in lost:
        logger.warning("job %s was lost, and is sent again", job)
    return len(lost)
