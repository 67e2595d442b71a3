"""A change names the one before it no more: all changes are read from this table, in order."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

SCHEMA = Path(__file__).parents[1] / "sql" / "schema.sql"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bans", "0004_feeds_as_they_are")]
    operations: ClassVar = [
        migrations.RunSQL(SCHEMA.read_text(encoding="utf-8")),
        migrations.RemoveField("change", "previous"),
    ]
