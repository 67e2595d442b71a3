"""The relay: hands what is due to the broker, and forgets it once the broker has confirmed it.

C. Richardson, Microservices Patterns (2018), section 3.3.7: transactional outbox.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import psycopg

from .sql import text

logger = logging.getLogger(__name__)

BATCH: Final = 500  # jobs
POLL_SECONDS: Final = 0.05
PAUSE_SECONDS: Final = 0.5  # after a failure
# Without statistics, which a table that filled just now lacks, PostgreSQL sorts all that is due each time.
IN_ORDER: Final = "SET enable_sort = off"


class Message(NamedTuple):
    """The whole of a message: which jobs; and their rows in the outbox."""

    jobs: tuple[UUID, ...]
    rows: tuple[int, ...]


class Unconfirmed(Exception):
    """The broker has refused messages; those it has confirmed are forgotten."""


type Publish = Callable[[str, Sequence[Message]], Sequence[Message]]
"""Hands messages for a queue to the broker; returns those that it has confirmed once it has answered all."""


def grouped(taken: Sequence[tuple[int, UUID, bool]], most: int) -> Iterator[Message]:
    """Yield messages of at most so many jobs each; a job that was lost before goes alone."""
    for row, job, _ in (each for each in taken if each[2]):
        yield Message((job,), (row,))
    together = [each for each in taken if not each[2]]
    for start in range(0, len(together), most):
        group = together[start : start + most]
        yield Message(tuple(job for _, job, _ in group), tuple(row for row, _, _ in group))


def carry_out(connection: psycopg.Connection, queue: str, most: int, publish: Publish) -> int:
    """Publish one batch of what is due and committed on *queue*; return how many jobs that were.

    The rows are deleted in the transaction that ends after the broker's confirmation: a relay that dies
    between the two publishes them again, and the job's row sees to it that they are run once.

    Raises:
        Unconfirmed: some were refused, and stay.
    """
    with connection.transaction():
        taken = connection.execute(text("take"), {"queue": queue, "most": BATCH}).fetchall()
        messages = list(grouped(taken, most))
        confirmed = publish(queue, messages) if messages else []
        rows = [row for message in confirmed for row in message.rows]
        if rows:
            connection.execute(text("sent"), {"rows": rows})
    if len(confirmed) < len(messages):
        raise Unconfirmed(f"{len(messages) - len(confirmed)} of {len(messages)} messages refused")
    return len(taken)


class Relay:
    """Carries out for each queue in turn; one that fails pauses, and holds up none of the others."""

    def __init__(self, groups: Mapping[str, int], publish: Publish) -> None:
        self._groups = groups
        self._publish = publish
        self._paused = dict.fromkeys(groups, 0.0)

    def turn(self, connection: psycopg.Connection) -> bool:
        """Carry out once for each queue; return whether more may be due at once."""
        more = False
        for queue, most in self._groups.items():
            if time.monotonic() < self._paused[queue]:
                continue
            try:
                more |= carry_out(connection, queue, most, self._publish) == BATCH
            except psycopg.Error:
                raise
            except Exception as error:  # whatever it is, the rows are still there
                logger.warning("%s waits: %s: %s", queue, type(error).__name__, error)
                self._paused[queue] = time.monotonic() + PAUSE_SECONDS
        return more

    def run(self, database_url: str, alive: Callable[[], None]) -> None:
        """Carry out for ever; *alive* is called at least every few seconds."""
        while True:
            alive()
            try:
                with psycopg.connect(database_url, autocommit=True, connect_timeout=2) as database:
                    database.execute(IN_ORDER)
                    while True:
                        alive()
                        if not self.turn(database):
                            time.sleep(POLL_SECONDS)
            except psycopg.Error as error:
                logger.warning("the relay has no database: %s", error)
                time.sleep(PAUSE_SECONDS)
