"""Purges that cannot be lost: PostgreSQL writes them down with the change, a relay carries them out.

Chris Richardson, Microservices Patterns (2018), section 3.3.7: transactional outbox.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg

logger = logging.getLogger(__name__)

TABLE: Final = Path(__file__).with_name("outbox.sql").read_text("utf-8")  # for a migration
BATCH: Final = 1_000

# Rows that other relays carry out meanwhile are theirs. Deleted with the purge done: at least once.
# The array is made once, whatever the planner believes of a table that is nearly always empty.
TAKE: Final = """
    DELETE FROM cache_outbox WHERE id = ANY(ARRAY(
        SELECT id FROM cache_outbox WHERE place = %s AND due <= now()
        ORDER BY due LIMIT %s FOR UPDATE SKIP LOCKED
    )) RETURNING tag
"""

type Purge = Callable[[list[str]], bool]  # False: it has to be tried again
type Then = Callable[[psycopg.Connection, list[str]], None]  # written in the same transaction


def carry_out(
    connection: "psycopg.Connection", place: str, purge: Purge, then: Then | None = None
) -> int:
    """Purge a batch of what is due at *place*; return how many rows that were, 0 if it failed: they stay."""
    with connection.transaction() as transaction:
        tags = [tag for (tag,) in connection.execute(TAKE, [place, BATCH])]
        if tags and not purge(tags):
            tags = []
            raise psycopg.Rollback(transaction)
        if tags and then:
            then(connection, tags)
    return len(tags)


def relay(
    database_url: str,
    place: str,
    purge: Purge,
    then: Then | None = None,
    alive: Callable[[], None] = lambda: None,
) -> None:
    """Carry out the purges of *place* for ever: a place that hangs must not delay another one.

    *alive* is called at least every few seconds while the database answers.
    """
    while True:
        try:
            # Behind a pooler that hands out another connection for each transaction, nothing is prepared.
            with psycopg.connect(
                database_url,
                autocommit=True,
                connect_timeout=2,
                prepare_threshold=None,
                application_name="cache relay",
            ) as connection:
                while True:
                    if carry_out(connection, place, purge, then) < BATCH:
                        # A notification would come sooner, and take a lock that all commits share.
                        time.sleep(0.025)
                    alive()
        except psycopg.Error as error:  # whatever it is: a failover, a time-out, a cut connection
            logger.warning("purges wait, %s: %s", place, " ".join(str(error).split()))
            time.sleep(0.5)
