"""Fill a table first and index it afterwards: one sort for each index instead of a descent for each row.

PostgreSQL manual, section 14.4: Remove Indexes, Remove Foreign Key Constraints.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Cursor, sql

INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index
WHERE indrelid = %s::regclass AND NOT indisunique
"""
FOREIGN_KEYS = """
SELECT conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE conrelid = %s::regclass AND contype = 'f'
"""


@contextmanager
def without_indexes(cursor: Cursor[Any], table: str) -> Iterator[None]:
    """Within a transaction, drop what each inserted row would pay for, and build it again at the end.

    Nobody sees the table without them: the transaction holds it exclusively until it commits.
    """
    named = sql.Identifier(table)
    indexes = cursor.execute(INDEXES, [table]).fetchall()
    keys = cursor.execute(FOREIGN_KEYS, [table]).fetchall()
    for name, _ in keys:
        cursor.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(named, sql.Identifier(name))
        )
    for name, _ in indexes:
        cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    for name, definition in keys:
        add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
        cursor.execute(add.format(named, sql.Identifier(name), sql.SQL(definition)))
