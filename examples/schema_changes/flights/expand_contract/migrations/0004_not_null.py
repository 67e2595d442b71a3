"""Forbid NULL in the new column, in steps none of which keeps anybody waiting."""

from typing import ClassVar

from changes.not_null import allow_null, forbid_null
from changes.patience import Patiently
from django.db import migrations, models

from flights.expand_contract.synced import TABLE


class Migration(migrations.Migration):
    atomic = False  # each statement lets go of its lock
    dependencies: ClassVar = [("expand_contract", "0003_backfill")]
    operations: ClassVar = [
        Patiently(
            forbid_null(TABLE, "delay_minutes"),
            allow_null(TABLE, "delay_minutes"),
            [migrations.AlterField("Delay", "delay_minutes", models.SmallIntegerField())],
        )
    ]
