"""Forbid NULL without a scan under an exclusive lock: NOT VALID, VALIDATE, and only then NOT NULL.

PostgreSQL manual, ALTER TABLE: SET NOT NULL skips the scan where a valid CHECK rules NULL out.
"""

from typing import ClassVar

from django.db import migrations, models

ADD = """
ALTER TABLE expand_contract_delay
ADD CONSTRAINT delay_minutes_set CHECK (delay_minutes IS NOT NULL) NOT VALID
"""
DROP = "ALTER TABLE expand_contract_delay DROP CONSTRAINT delay_minutes_set"
VALIDATE = "ALTER TABLE expand_contract_delay VALIDATE CONSTRAINT delay_minutes_set"


class Migration(migrations.Migration):
    atomic = False  # each statement lets go of its lock
    dependencies: ClassVar = [("expand_contract", "0003_backfill")]
    operations: ClassVar = [
        migrations.RunSQL(ADD, DROP),
        migrations.RunSQL(VALIDATE, migrations.RunSQL.noop),
        migrations.AlterField("Delay", "delay_minutes", models.SmallIntegerField()),
        migrations.RunSQL(DROP, ADD),
    ]
