"""Forget a column without dropping it: new code no longer writes it, old code still may.

The column goes in a later release, when nobody would go back behind this one.
"""

from typing import ClassVar

from django.db import migrations

TABLE = "ALTER TABLE expand_contract_delay ALTER COLUMN cause"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("expand_contract", "0005_contract")]
    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f"{TABLE} SET DEFAULT ''", f"{TABLE} DROP DEFAULT")
            ],
            state_operations=[migrations.RemoveField("Delay", "cause")],
        )
    ]
