"""Forget a column without dropping it: new code no longer writes it, old code still may.

The column goes in a later release, when nobody would go back behind this one.
"""

from typing import ClassVar

from django.db import migrations

from flights.expand_contract.steps import TABLE, retire_cause


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("expand_contract", "0005_contract")]
    operations: ClassVar = retire_cause(TABLE)
