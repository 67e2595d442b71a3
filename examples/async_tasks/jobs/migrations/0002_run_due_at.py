"""The moment that a task was asked to wait for, of databases that are there already, too."""

from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [("jobs", "0001_tables")]

    operations: ClassVar[list[Any]] = [
        migrations.AddField("run", "due_at", models.DateTimeField(null=True)),
    ]
