"""Add the new column beside the old one, nullable, and keep both equal from here on."""

from typing import ClassVar

from django.db import migrations, models

from changes.expand_contract import synced


class Migration(migrations.Migration):
    dependencies: ClassVar = [("expand_contract", "0001_delays")]
    operations: ClassVar = [
        migrations.AddField("Delay", "delay_minutes", models.SmallIntegerField(null=True)),
        migrations.RunSQL(synced.CREATE, synced.DROP),
    ]
