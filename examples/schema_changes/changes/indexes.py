"""An index built while its table is written, and built again where an earlier build has failed.

A concurrent build that fails leaves an index that is not valid: every write pays for it, no query uses it.
PostgreSQL manual, CREATE INDEX, Building Indexes Concurrently.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction
from psycopg import sql

# One that is being built is not valid yet, either.
UNDER_WAY = "EXISTS (SELECT FROM pg_stat_progress_create_index WHERE index_relid = indexrelid)"
# That of a partitioned table (I) is not valid until each partition has one; it is never built concurrently.
FAILED = f"""
SELECT indrelid::regclass::text, indexrelid::regclass::text
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid AND relkind = 'i'
WHERE NOT indisvalid AND NOT {UNDER_WAY}
ORDER BY 2
"""  # noqa: S608 -- from above
STATE = f"""
SELECT indisvalid, {UNDER_WAY}, pg_get_indexdef(indexrelid)
FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))
"""  # noqa: S608 -- from above
# The same index of an empty table: only PostgreSQL knows how it writes down an expression.
EMPTY = """
CREATE TEMPORARY TABLE empty ON COMMIT DROP AS TABLE {table} WITH NO DATA;
CREATE INDEX ON empty {columns};
"""
DEFINITION = (
    "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'pg_temp.empty'::regclass"
)
TIMEOUTS = ("lock_timeout", "statement_timeout")


class UnderWay(RuntimeError):
    """Somebody else is building this index: to drop it would undo their work."""


class Differs(RuntimeError):
    """An index of this name is there for something else: neither the one asked for, nor one to drop."""


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
        Differs: an index of this name is there for something else.
        UnderWay: another build of it has not ended.
    """
    names = {"index": sql.Identifier(index), "table": sql.Identifier(table)}
    named = {"columns": sql.SQL(columns), **names}
    create = sql.SQL("CREATE INDEX CONCURRENTLY {index} ON {table} {columns}").format(**named)
    with connection.cursor() as cursor:
        cursor.execute(STATE, [index])
        valid, under_way, there = cursor.fetchone() or (None, False, "")
        if there and _uses(there) != _uses(_definition(cursor, named)):
            raise Differs(f"{index} is there for something else: {there}")
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
            cursor.execute(create)
        finally:
            for timeout in TIMEOUTS:
                cursor.execute(f"RESET {timeout}")
    return "built" if valid is None else "built again"


def _definition(cursor: Any, named: Mapping[str, sql.Composable]) -> str:
    with transaction.atomic(cursor.db.alias):
        cursor.execute(sql.SQL(EMPTY).format(**named))
        cursor.execute(DEFINITION)
        return str(cursor.fetchone()[0])


def _uses(definition: str) -> str:
    """Return what of a definition stands behind the names of index and table."""
    return definition.partition(" USING ")[2]
