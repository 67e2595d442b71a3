"""The ways, by name: what is written first, what is commonly installed, and the solution last."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from changes.backfill import backfill
from changes.indexes import build
from changes.patience import patiently
from django.conf import settings
from psycopg.sql import Identifier

from .own import TABLE, Step

type Change = Callable[[Any, str], object]  # connection, table

INDEX = "(number, scheduled_departure)"
CHECK = "ALTER TABLE {table} ADD CONSTRAINT {table}_flies CHECK (distance_miles > 0)"
COLUMN = "ALTER TABLE {table} ADD COLUMN gate text"


def at_once(statement: str) -> Change:
    """Wait for the lock as long as it takes, and everybody else behind it."""

    def change(connection: Any, table: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table=table))

    return change


def in_steps(*statements: str) -> Change:
    """Each patiently, one after the other."""

    def change(connection: Any, table: str) -> None:
        for statement in statements:
            patiently(connection, statement.format(table=table))

    return change


def filled(connection: Any, table: str) -> int:
    """Fill the column in batches; return how many rows."""
    return sum(backfill(connection, table, "minutes", Identifier("departure_delay"), key="id"))


def built(connection: Any, table: str) -> str:
    return build(connection, f"{table}_by_number", table, INDEX)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way.

    Attributes:
        table: what `GET /api/<name>/` describes.
        changes: what it makes of a busy table, by name.
        steps: its migrations, where no files have them: of a reader's own.
    """

    name: str
    about: str
    table: str
    changes: Mapping[str, Change]
    steps: Sequence[Step] = ()


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "in_place",
        "what makemigrations writes: rename, remove, and locks for as long as it takes",
        "in_place_delay",
        {
            "index": at_once(f"CREATE INDEX {{table}}_by_number ON {{table}} {INDEX}"),
            "constraint": at_once(CHECK),
            "column": at_once(COLUMN),
            "backfill": at_once("UPDATE {table} SET minutes = departure_delay"),
        },
    ),
    Variant(
        "if_not_exists",
        "steps that a second run skips, whatever the first one left of them",
        "if_not_exists_delay",
        {
            "index": at_once(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {{table}}_by_number ON {{table}} {INDEX}"
            )
        },
    ),
    Variant(
        "expand_contract",
        "steps that the code before them survives, and locks that are let go of",
        "expand_contract_delay",
        {
            "index": built,
            "constraint": in_steps(
                f"{CHECK} NOT VALID", "ALTER TABLE {table} VALIDATE CONSTRAINT {table}_flies"
            ),
            "column": in_steps(COLUMN),
            "backfill": filled,
        },
    ),
)
if settings.MINE:  # the reader's own: "Now you" in README.md
    mine = import_module(settings.MINE)
    VARIANTS += (Variant("mine", "your own", TABLE, mine.CHANGES, mine.STEPS),)
BY_NAME: Mapping[str, Variant] = {each.name: each for each in VARIANTS}
