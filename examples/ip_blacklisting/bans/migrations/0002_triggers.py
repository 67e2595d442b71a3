"""The triggers that number changes; see schema.sql."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

SCHEMA = Path(__file__).parents[1] / "sql" / "schema.sql"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bans", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(SCHEMA.read_text(encoding="utf-8"))]
