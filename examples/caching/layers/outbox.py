"""Purges that cannot be lost: PostgreSQL writes them down with the change, a relay carries them out.

Chris Richardson, Microservices Patterns (2018), section 3.3.7: transactional outbox.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

import psycopg

logger = logging.getLogger(__name__)

CHANNEL: Final = "cache_outbox"
BATCH: Final = 1_000
POLL_SECONDS: Final = 0.25  # a notification may be lost with its connection; the row is not

# Rows that other relays carry out meanwhile are theirs. Deleted with the purge done: at least once.
TAKE: Final = """
    DELETE FROM flights_outbox WHERE id IN (
        SELECT id FROM flights_outbox ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ) RETURNING tag
"""


def carry_out(connection: "psycopg.Connection", purge: Callable[[list[str]], bool]) -> int:
    """Purge the tags of one batch of committed changes; return how many rows that were.

    If *purge* fails, the rows stay.
    """
    carried_out: list[str] = []
    with connection.transaction() as transaction:
        tags = [tag for (tag,) in connection.execute(TAKE, [BATCH])]
        if tags and not purge(tags):
            raise psycopg.Rollback(transaction)
        carried_out = tags
    return len(carried_out)


def relay(database_url: str, purge: Callable[[list[str]], bool], alive: Callable[[], None]) -> None:
    """Carry out purges for ever; *alive* is called at least every second or so while the database answers."""
    while True:
        try:
            with psycopg.connect(database_url, autocommit=True, connect_timeout=2) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                while True:
                    alive()
                    while carry_out(connection, purge) == BATCH:
                        pass
                    for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass
        except psycopg.OperationalError as error:
            logger.warning("the relay has no database: %s", error)
            time.sleep(POLL_SECONDS)
