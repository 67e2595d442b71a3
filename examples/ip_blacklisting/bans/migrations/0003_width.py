"""How wide a ban may be, also of databases that an earlier release has made; see width.sql."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

WIDTH = Path(__file__).parents[1] / "sql" / "width.sql"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bans", "0002_triggers")]
    operations: ClassVar = [migrations.RunSQL(WIDTH.read_text(encoding="utf-8"))]
