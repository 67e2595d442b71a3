"""Fill the rows that were there before: in batches, each committed, so that it can be killed and go on."""

from typing import ClassVar

from django.db import migrations

from flights.expand_contract.steps import TABLE, backfill


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("expand_contract", "0002_expand")]
    operations: ClassVar = backfill(TABLE)
