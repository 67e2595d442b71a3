"""Every migration of an app forth, back and forth again, on real rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.migrations.executor import MigrationExecutor

from .fingerprint import fingerprint

# Rows of `was` that the table lacks now; columns by name, since one that came back stands last.
LOST = "SELECT count(*) FROM (SELECT {columns} FROM was EXCEPT ALL SELECT {columns} FROM {table}) AS lost"


@dataclass(frozen=True, slots=True)
class Step:
    """One migration, forth, back and forth again.

    Attributes:
        back, again: what differs, in words; empty if nothing does.
        lost: rows that did not come back as they were.
    """

    migration: str
    back: str
    again: str
    lost: int


def rehearse(connection: Any, app: str, table: str) -> Iterator[Step]:
    """Take each migration after the first, at which the app has to be; the table ends in the last state."""
    names = sorted(
        name for label, name in MigrationExecutor(connection).loader.disk_migrations if label == app
    )
    for before, name in pairwise(names):
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE was AS SELECT * FROM {table}")  # noqa: S608
            was = fingerprint(cursor, table)
            migrate(connection, app, name)
            there = fingerprint(cursor, table)
            migrate(connection, app, before)
            back, lost = _differs(was, fingerprint(cursor, table)), _lost(cursor, table)
            migrate(connection, app, name)
            again = _differs(there, fingerprint(cursor, table))
            cursor.execute("DROP TABLE was")
        yield Step(name, back, again, lost)


def migrate(connection: Any, app: str, name: str | None) -> None:
    MigrationExecutor(connection).migrate([(app, name)])


def _lost(cursor: Any, table: str) -> int:
    cursor.execute("SELECT * FROM was LIMIT 0")
    columns = ", ".join(f'"{column.name}"' for column in cursor.description)
    cursor.execute(LOST.format(columns=columns, table=table))
    return int(cursor.fetchone()[0])


def _differs(one: Any, other: Any) -> str:
    parts = [part for part in ("schema", "rows") if getattr(one, part) != getattr(other, part)]
    return " and ".join(parts)
