"""What a table is and holds, in a form that two moments can be compared by."""

from dataclasses import dataclass
from typing import Any

# Not the position of a column: one that was dropped and added again stands last.
SCHEMA = """
SELECT 'column', attname, format_type(atttypid, atttypmod)
    || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), ''), ''
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text
FROM pg_index WHERE indrelid = %(table)s::regclass
UNION ALL
SELECT 'constraint', conname, pg_get_constraintdef(oid), convalidated::text
FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype <> 'n'
UNION ALL
SELECT 'trigger', tgname, pg_get_triggerdef(oid), tgenabled::text
FROM pg_trigger WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of a table: its columns, indexes, constraints and triggers, and a checksum of all rows."""

    schema: tuple[tuple[str, ...], ...]
    rows: str


def fingerprint(cursor: Any, table: str) -> Fingerprint:
    cursor.execute(SCHEMA, {"table": table})
    schema = tuple(cursor.fetchall())
    # By name: a row as a whole would follow the position of its columns.
    columns = ", ".join(f'"{name}"' for kind, name, *_ in schema if kind == "column")
    cursor.execute(
        f"SELECT coalesce(sum(hash_record_extended(ROW({columns}), 0)), 0)::text FROM {table}"  # noqa: S608
    )
    return Fingerprint(schema, cursor.fetchone()[0])
