"""What an index costs: its size, and what each row pays that is written into it."""

import time
from dataclasses import dataclass
from typing import Any

from psycopg import sql

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one index.

    Attributes:
        writing_us: microseconds that a row pays for it, beside the same row without any index.
    """

    size_bytes: int
    writing_us: float


def cost(cursor: Any, index: str, rows: int = 20_000) -> Cost:
    """Insert rows of its table, in no order, into a copy without the index and into one with it.

    The best of each. A copy so small stays in memory:
    the index of a table that does not costs more.
    """
    cursor.execute(
        "SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid), pg_relation_size(indexrelid)"
        " FROM pg_index WHERE indexrelid = %s::regclass",
        [index],
    )
    table, definition, size = cursor.fetchone()
    names = {"table": sql.Identifier(table), "rows": sql.Literal(rows)}
    sample = "CREATE TEMPORARY TABLE sample AS SELECT * FROM {table} ORDER BY random() LIMIT {rows}"
    cursor.execute(sql.SQL(sample).format(**names))
    cursor.execute(sql.SQL("CREATE TEMPORARY TABLE copied (LIKE {table})").format(**names))
    without = min(_seconds(cursor) for _ in range(ROUNDS))
    # Without its name and its table: the same index on the copy.
    cursor.execute(f"CREATE INDEX ON copied USING {definition.partition(' USING ')[2]}")
    with_it = min(_seconds(cursor) for _ in range(ROUNDS))
    cursor.execute("DROP TABLE sample, copied")
    return Cost(size, max(0.0, with_it - without) / rows * 1e6)


def _seconds(cursor: Any) -> float:
    cursor.execute("TRUNCATE copied")
    started = time.perf_counter()
    cursor.execute("INSERT INTO copied SELECT * FROM sample")
    return time.perf_counter() - started
