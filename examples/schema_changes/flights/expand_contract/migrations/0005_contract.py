"""Drop the old column, once no code that knows it runs.

The way back is another expansion: the column, its trigger, a backfill in batches, and NOT NULL at last.
"""

from typing import ClassVar

from django.db import migrations

from flights.expand_contract.steps import TABLE, contract


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("expand_contract", "0004_not_null")]
    operations: ClassVar = contract(TABLE)
