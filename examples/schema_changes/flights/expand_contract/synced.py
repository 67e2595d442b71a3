"""What keeps the two columns equal while both are in use, what makes them so, and what undoes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from changes.backfill import backfill, in_batches
from psycopg import sql

CREATE: Final = Path(__file__).with_name("sync_columns.sql").read_text("utf-8")
DROP: Final = """
DROP TRIGGER IF EXISTS sync ON {table};
DROP FUNCTION IF EXISTS {table}_sync();
"""


def create(table: str) -> str:
    return CREATE.format(table=table)


def drop(table: str) -> str:
    return DROP.format(table=table)


def filled(connection: Any, table: str, column: str, other: str) -> Iterator[int]:
    """Fill the rows that were there before the trigger; yield their number after each batch."""
    return backfill(connection, table, column, sql.Identifier(other), key="flight_id")


def emptied(connection: Any, table: str) -> Iterator[int]:
    """Undo it, without the trigger noticing this batch, or it would empty the old column as well."""
    some = sql.SQL("delay_minutes IS NOT NULL")
    # LOCAL: behind a pooler, the next transaction of this connection may be somebody else's.
    quiet = "SET LOCAL expand_contract.quiet = on"
    return in_batches(
        connection, table, "delay_minutes", sql.NULL, some, key="flight_id", begin=quiet
    )
