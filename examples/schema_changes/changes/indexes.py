"""An index built while its table is written, and built again where an earlier build has failed.

A concurrent build that fails leaves an index that is not valid: every write pays for it, no query uses it.
PostgreSQL manual, CREATE INDEX, Building Indexes Concurrently.
"""

from typing import Any, NamedTuple

from psycopg import sql

# One that is being built is not valid yet, either.
UNDER_WAY = "EXISTS (SELECT FROM pg_stat_progress_create_index WHERE index_relid = indexrelid)"
FAILED = f"""
SELECT indrelid::regclass::text, indexrelid::regclass::text
FROM pg_index WHERE NOT indisvalid AND NOT {UNDER_WAY}
ORDER BY 2
"""  # noqa: S608 -- from above
STATE = f"SELECT indisvalid, {UNDER_WAY} FROM pg_index WHERE indexrelid = to_regclass(%s)"  # noqa: S608
TIMEOUTS = ("lock_timeout", "statement_timeout")


class UnderWay(RuntimeError):
    """Somebody else is building this index: to drop it would undo their work."""


class Failed(NamedTuple):
    table: str
    name: str


def failed(cursor: Any) -> list[Failed]:
    """Return the indexes of this database that a failed build has left behind."""
    cursor.execute(FAILED)
    return [Failed(*row) for row in cursor.fetchall()]


def build(connection: Any, index: str, table: str, columns: str) -> str:
    """Build an index concurrently, outside of a transaction; return `there`, `built` or `built again`.

    Raises:
        UnderWay: another build of it has not ended.
    """
    names = {"index": sql.Identifier(index), "table": sql.Identifier(table)}
    create = "CREATE INDEX CONCURRENTLY {index} ON {table} " + columns
    with connection.cursor() as cursor:
        cursor.execute(STATE, [index])
        valid, under_way = cursor.fetchone() or (None, False)
        if valid:
            return "there"
        if under_way:
            raise UnderWay(f"{index} is being built by somebody else")
        # A build that waits keeps nobody waiting: a timeout of the role would only make it fail.
        for timeout in TIMEOUTS:
            cursor.execute(f"SET {timeout} = 0")
        try:
            if valid is not None:
                cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY {index}").format(**names))
            cursor.execute(sql.SQL(create).format(**names))
        finally:
            for timeout in TIMEOUTS:
                cursor.execute(f"RESET {timeout}")
    return "built" if valid is None else "built again"
