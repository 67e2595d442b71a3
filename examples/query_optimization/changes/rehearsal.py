"""Every migration of an app forth, back and forth again, on real rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor

from .fingerprint import fingerprint

FILL = """
INSERT INTO {table} (flight_id, late, cause)
SELECT id, departure_delay, CASE WHEN departure_delay > 60 THEN 'weather' ELSE 'carrier' END
FROM flights_flight
WHERE departure_delay IS NOT NULL AND scheduled_departure < '2013-04-01'
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One migration; `back` and `again` tell in words what differs, empty if nothing does."""

    migration: str
    back: str
    again: str


def begin(connection: Any, app: str) -> None:
    """Migrate the app's table to its first state, with the delays of three months in it."""
    _migrate(connection, app, None)
    _migrate(connection, app, "0001_delays")
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(table=f"{app}_delay"))


def rehearse(connection: Any, app: str, table: str) -> Iterator[Step]:
    """Take each migration after the first, at which the app has to be; the table ends in the last state."""
    names = sorted(
        name for label, name in MigrationExecutor(connection).loader.disk_migrations if label == app
    )
    with connection.cursor() as cursor:
        was = fingerprint(cursor, table)
        for before, name in pairwise(names):
            _migrate(connection, app, name)
            there = fingerprint(cursor, table)
            try:
                _migrate(connection, app, before)
            except IrreversibleError:
                yield Step(name, "irreversible", "")
                was = there
                continue
            back = _differs(was, fingerprint(cursor, table))
            _migrate(connection, app, name)
            was = fingerprint(cursor, table)
            yield Step(name, back, _differs(there, was))


def _migrate(connection: Any, app: str, name: str | None) -> None:
    MigrationExecutor(connection).migrate([(app, name)])


def _differs(one: Any, other: Any) -> str:
    parts = [part for part in ("schema", "rows") if getattr(one, part) != getattr(other, part)]
    return " and ".join(parts)
