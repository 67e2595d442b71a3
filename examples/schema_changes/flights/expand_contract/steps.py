"""What each migration of this way does to a table with the columns `late` and `cause`.

A migration of these says `atomic = False`: each statement lets go of its lock.
"""

from collections.abc import Iterator
from typing import Any, Final

from changes.not_null import allow_null, forbid_null
from changes.patience import Patiently
from django.db.migrations import AddField, AlterField, RemoveField, RunPython
from django.db.migrations.operations.base import Operation
from django.db.models import SmallIntegerField

from . import synced

TABLE: Final = "expand_contract_delay"
type Steps = list[Operation]


def expand(table: str) -> Steps:
    """Add the new column beside the old one, nullable, and keep both equal from here on."""
    return [
        Patiently(
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS delay_minutes smallint",
            f"ALTER TABLE {table} DROP COLUMN IF EXISTS delay_minutes",
            [AddField("Delay", "delay_minutes", SmallIntegerField(null=True))],
        ),
        Patiently(synced.create(table), synced.drop(table)),
    ]


def backfill(table: str) -> Steps:
    """Fill the rows that were there before: in batches, each committed, which may be killed and go on."""

    def fill(_apps: Any, editor: Any) -> None:
        all_of(synced.filled(editor.connection, table, "delay_minutes", "late"))

    def empty(_apps: Any, editor: Any) -> None:
        all_of(synced.emptied(editor.connection, table))

    return [RunPython(fill, empty)]


def not_null(table: str) -> Steps:
    """Forbid NULL in the new column, in steps none of which keeps anybody waiting."""
    return [
        Patiently(
            forbid_null(table, "delay_minutes"),
            allow_null(table, "delay_minutes"),
            [AlterField("Delay", "delay_minutes", SmallIntegerField())],
        )
    ]


def contract(table: str) -> Steps:
    """Drop the old column; the way back is another expansion, and backwards the last comes first."""

    def fill(_apps: Any, editor: Any) -> None:
        all_of(synced.filled(editor.connection, table, "late", "delay_minutes"))

    return [
        Patiently(Patiently.noop, forbid_null(table, "late")),
        RunPython(RunPython.noop, fill),
        # One transaction each: without the trigger, new code could not write the old column's NOT NULL.
        Patiently(
            f"{synced.drop(table)} ALTER TABLE {table} DROP COLUMN IF EXISTS late",
            expand_back(table),
            [RemoveField("Delay", "late")],
        ),
    ]


def expand_back(table: str) -> str:
    return f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS late smallint; {synced.create(table)}"


def retire_cause(table: str) -> Steps:
    """Forget a column without dropping it: new code no longer writes it, old code still may."""
    return [
        Patiently(
            f"ALTER TABLE {table} ALTER COLUMN cause SET DEFAULT ''",
            f"ALTER TABLE {table} ALTER COLUMN cause DROP DEFAULT",
            [RemoveField("Delay", "cause")],
        )
    ]


def all_of(batches: Iterator[int]) -> None:
    for _ in batches:
        pass
