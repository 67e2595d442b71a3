"""COPY: the way into PostgreSQL that has no statement per row and no list of objects.

PostgreSQL manual, COPY and section 14.4, Populating a Database.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Cursor, sql


def copy_rows(
    cursor: Cursor[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append `rows`, in the order of `columns`, to `table`; None is null.

    Rows are sent as they come; memory does not grow with their number. A row that does not fit ends
    the whole command, and the transaction with it.
    """
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)
