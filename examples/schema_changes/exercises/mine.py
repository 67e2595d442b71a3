"""Your own way to change a table that is in use. It begins as `in_place`, what `makemigrations` writes.

Win `writers-do-not-wait` first, in CHANGES; then `a-backfill-waits-for-nobody`. STEPS are for the others.
All of `changes/` is at hand; write your SQL for `mine_delay`, where `late` and `cause` stand to begin with.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.migrations import RemoveField, RenameField
from flights.own import Step

# At most five migrations. The text names the columns that the code knows which is deployed after each; the
# code before all knows "late, cause". With False in third place, each statement is committed by itself.
STEPS: Sequence[Step] = (
    Step([RenameField("Delay", "late", "delay_minutes")], "delay_minutes, cause", True),
    Step([RemoveField("Delay", "cause")], "delay_minutes", True),
)


def at_once(statement: str) -> Callable[[Any, str], object]:
    def change(connection: Any, table: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table=table))

    return change


# What is done to another table, which is written and read meanwhile: its name is an argument.
CHANGES: Mapping[str, Callable[[Any, str], object]] = {
    "index": at_once("CREATE INDEX {table}_by_number ON {table} (number, scheduled_departure)"),
    "constraint": at_once(
        "ALTER TABLE {table} ADD CONSTRAINT {table}_flies CHECK (distance_miles > 0)"
    ),
    "column": at_once("ALTER TABLE {table} ADD COLUMN gate text"),
    "backfill": at_once("UPDATE {table} SET minutes = departure_delay"),
}
