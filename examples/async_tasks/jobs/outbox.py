"""The relay: hands what is due to the broker, and forgets it once the broker has confirmed it.

C. Richardson, Microservices Patterns (2018), section 3.3.7: transactional outbox.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import psycopg

logger = logging.getLogger(__name__)

BATCH: Final = 100
POLL_SECONDS: Final = 0.05
PAUSE_SECONDS: Final = 0.5  # after a failure
TAKE: Final = Path(__file__).with_name("take.sql").read_text("utf-8")


class Message(NamedTuple):
    """The whole of a message: which job, on which queue."""

    job: UUID
    queue: str
    correlation: str


type Publish = Callable[[Sequence[Message]], None]
"""Hands messages to the broker; returns when it has confirmed all of them, else raises."""


def carry_out(connection: psycopg.Connection, publish: Publish) -> int:
    """Publish one batch of what is due and committed; return how many messages that were.

    The rows are deleted in the transaction that ends after the broker's confirmation: a relay that dies
    between the two publishes them again, and the job's row sees to it that they are run once.
    """
    with connection.transaction():
        taken = [Message(*row) for row in connection.execute(TAKE, [BATCH])]
        if taken:
            publish(taken)
            connection.execute(
                "UPDATE jobs_job SET sent_at = now() WHERE id = ANY (%s)",
                [[message.job for message in taken]],
            )
    return len(taken)


def relay(database_url: str, publish: Publish, alive: Callable[[], None]) -> None:
    """Carry out for ever; *alive* is called at least every second or so while the broker answers."""
    while True:
        try:
            with psycopg.connect(database_url, autocommit=True, connect_timeout=2) as connection:
                while True:
                    alive()
                    if carry_out(connection, publish) < BATCH:
                        time.sleep(POLL_SECONDS)
        except Exception as error:  # whatever it is, the rows are still there
            logger.warning("the relay waits: %s: %s", type(error).__name__, error)
            alive()
            time.sleep(PAUSE_SECONDS)
