"""Fill a new column from what is there while the table is in use.

Each batch is a short transaction of its own; a row that has its value is left alone, so whoever runs it
again goes on where the last one was killed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg import sql

BATCH_ROWS = 20_000
BEFORE_ALL = -(2**63)

FILL = sql.SQL(Path(__file__).with_name("backfill.sql").read_text("utf-8"))


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
) -> Iterator[int]:
    """Set `column` to `value` in the order of `key`, a number; yield the number of rows after each batch."""
    named = {"table": table, "column": column, "key": key}
    names = {name: sql.Identifier(text) for name, text in named.items()}
    statement = FILL.format(value=value, where=where, **names).as_string(None)
    last: int | None = BEFORE_ALL
    with connection.cursor() as cursor:
        while last is not None:
            cursor.execute(statement, [last, BATCH_ROWS])
            last, filled = cursor.fetchone()
            yield filled
