"""Forbid NULL in the new column, in steps none of which keeps anybody waiting."""

from typing import ClassVar

from django.db import migrations

from flights.expand_contract.steps import TABLE, not_null


class Migration(migrations.Migration):
    atomic = False  # each statement lets go of its lock
    dependencies: ClassVar = [("expand_contract", "0003_backfill")]
    operations: ClassVar = not_null(TABLE)
