"""Fill the rows that were there before: in batches, each committed, so that it can be killed and go on."""

from typing import Any, ClassVar

from django.db import migrations

from changes.backfill import backfill


def fill(_apps: Any, editor: Any) -> None:
    for _ in backfill(editor.connection, "expand_contract_delay", "late", "delay_minutes"):
        pass


def empty(_apps: Any, editor: Any) -> None:
    """Go back: without the trigger, or it would empty the old column as well."""
    with editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE expand_contract_delay DISABLE TRIGGER sync")
        cursor.execute("UPDATE expand_contract_delay SET delay_minutes = NULL")
        cursor.execute("ALTER TABLE expand_contract_delay ENABLE TRIGGER sync")


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("expand_contract", "0002_expand")]
    operations: ClassVar = [migrations.RunPython(fill, empty)]
