"""Fill the rows that were there before: in batches, each committed, so that it can be killed and go on."""

from typing import Any, ClassVar

from django.db import migrations

from flights.expand_contract import synced


def fill(_apps: Any, editor: Any) -> None:
    for _ in synced.filled(editor.connection, "delay_minutes", "late"):
        pass


def empty(_apps: Any, editor: Any) -> None:
    for _ in synced.emptied(editor.connection):
        pass


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("expand_contract", "0002_expand")]
    operations: ClassVar = [migrations.RunPython(fill, empty)]
