"""Drop the old column, once no code that knows it runs.

The way back is another expansion: the column, its trigger, a backfill in batches, and NOT NULL at last.
"""

from typing import Any, ClassVar

from changes.not_null import forbid_null
from changes.patience import Patiently
from django.db import migrations

from flights.expand_contract import synced

TABLE = f"ALTER TABLE {synced.TABLE}"
# One transaction each: without the trigger, new code could not write the old column's NOT NULL.
CONTRACT = f"{synced.DROP} {TABLE} DROP COLUMN IF EXISTS late"
EXPAND = f"{TABLE} ADD COLUMN IF NOT EXISTS late smallint; {synced.CREATE}"


def nothing(_apps: Any, _editor: Any) -> None:
    """Forwards, the column goes as it is."""


def fill(_apps: Any, editor: Any) -> None:
    for _ in synced.filled(editor.connection, "late", "delay_minutes"):
        pass


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("expand_contract", "0004_not_null")]
    # Backwards the last comes first.
    operations: ClassVar = [
        Patiently(Patiently.noop, forbid_null(synced.TABLE, "late")),
        migrations.RunPython(nothing, fill),
        Patiently(CONTRACT, EXPAND, [migrations.RemoveField("Delay", "late")]),
    ]
