"""Drop the old column, once no code that knows it runs; going back fills it from the new one."""

from typing import ClassVar

from django.db import migrations

from changes.expand_contract import synced

FORWARD = (synced.DROP, "ALTER TABLE expand_contract_delay DROP COLUMN late")
BACK = (
    "ALTER TABLE expand_contract_delay ADD COLUMN late smallint",
    "UPDATE expand_contract_delay SET late = delay_minutes",
    "ALTER TABLE expand_contract_delay ALTER COLUMN late SET NOT NULL",
    synced.CREATE,
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("expand_contract", "0004_not_null")]
    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, BACK)],
            state_operations=[migrations.RemoveField("Delay", "late")],
        )
    ]
