"""Fill a new column from what is there while the table is in use.

Each batch is a short transaction of its own, which waits for nobody; a row that has its value is left
alone, so whoever runs it again goes on where the last one was killed.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import transaction
from psycopg import sql

BATCH_ROWS = 5_000
BEFORE_ALL = -(2**63)
PASSES, PAUSE_SECONDS = 60, 0.5
FILL = sql.SQL(Path(__file__).with_name("backfill.sql").read_text("utf-8"))


class RowsHeld(RuntimeError):
    """Rows were locked by others in every pass; all others are filled."""


def backfill(
    connection: Any, table: str, column: str, value: sql.Composable, *, key: str
) -> Iterator[int]:
    """Set `column`, where it is null, to `value`; yield the number of rows after each batch."""
    where = sql.SQL("{} IS NULL").format(sql.Identifier(column))
    return in_batches(connection, table, column, value, where, key=key)


def in_batches(
    connection: Any,
    table: str,
    column: str,
    value: sql.Composable,
    where: sql.Composable,
    *,
    key: str,
    begin: str = "",
) -> Iterator[int]:
    """Set `column` to `value` in the order of `key`, a number; yield the number of rows after each batch.

    Rows that others hold are left for another pass. Each batch begins with the statement `begin`.

    Raises:
        RowsHeld: some were held in every pass.
        RuntimeError: within a transaction; a migration has to say `atomic = False`.
    """
    named = {"table": table, "column": column, "key": key}
    names = {name: sql.Identifier(text) for name, text in named.items()}
    statement = FILL.format(value=value, where=where, **names).as_string(None)
    for _ in range(PASSES):
        held = 0
        last: int | None = BEFORE_ALL
        while last is not None:
            # Durable: within another transaction, every row would stay locked until that ends.
            with (
                transaction.atomic(connection.alias, durable=True),
                connection.cursor() as cursor,
            ):
                if begin:
                    cursor.execute(begin)
                cursor.execute(statement, [last, BATCH_ROWS])
                last, filled, left_out = cursor.fetchone()
            held += left_out
            yield filled
        if not held:
            return
        time.sleep(PAUSE_SECONDS)
    raise RowsHeld(f"{held} rows of {table} were locked by others {PASSES} times")
