"""The country of a line."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("kept", "0001_initial")]

    # A default that the database has: the keeper of the release before writes no country.
    operations: ClassVar[list[migrations.AddField]] = [
        migrations.AddField(
            model, "country", models.CharField(max_length=2, blank=True, db_default="")
        )
        for model in ("LogLine", "Visit")
    ]
