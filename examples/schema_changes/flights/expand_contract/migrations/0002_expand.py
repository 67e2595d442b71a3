"""Add the new column beside the old one, nullable, and keep both equal from here on."""

from typing import ClassVar

from changes.patience import Patiently
from django.db import migrations, models

from flights.expand_contract import synced

TABLE = f"ALTER TABLE {synced.TABLE}"


class Migration(migrations.Migration):
    atomic = False  # each statement lets go of its lock
    dependencies: ClassVar = [("expand_contract", "0001_delays")]
    operations: ClassVar = [
        Patiently(
            f"{TABLE} ADD COLUMN IF NOT EXISTS delay_minutes smallint",
            f"{TABLE} DROP COLUMN IF EXISTS delay_minutes",
            [migrations.AddField("Delay", "delay_minutes", models.SmallIntegerField(null=True))],
        ),
        Patiently(synced.CREATE, synced.DROP),
    ]
