"""Fill a new column from an old one while the table is in use.

Each batch is a short transaction of its own; a row that has its value is left alone, so whoever runs it
again goes on where the last one was killed.
"""

from collections.abc import Iterator
from typing import Any

from psycopg import sql

BATCH_ROWS = 20_000

FILL = sql.SQL("""
WITH batch AS (
    SELECT {key} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT %s
), filled AS (
    UPDATE {table} SET {new} = {old}
    WHERE {key} IN (SELECT {key} FROM batch) AND {new} IS NULL AND {old} IS NOT NULL
    RETURNING 1
)
SELECT (SELECT max({key}) FROM batch), (SELECT count(*) FROM filled)
""")


def backfill(
    connection: Any, table: str, old: str, new: str, *, key: str = "flight_id"
) -> Iterator[int]:
    """Fill `new` from `old` in the order of `key`; yield the number of rows filled after each batch."""
    names = {"table": table, "old": old, "new": new, "key": key}
    statement = FILL.format(**{name: sql.Identifier(value) for name, value in names.items()})
    last: int | None = -1
    with connection.cursor() as cursor:
        while last is not None:
            cursor.execute(statement.as_string(None), [last, BATCH_ROWS])
            last, filled = cursor.fetchone()
            yield filled
