"""When a flight left, and two indexes more, while the table is read and written.

A build that is cut off leaves an index that is not valid, which `manage.py indexes` names: drop it and
migrate again.
"""

from typing import Any, ClassVar

from changes.backfill import backfill
from changes.patience import Patiently
from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce
from psycopg import sql

DEPARTED = sql.SQL("scheduled_departure + departure_delay * interval '1 minute'")


def fill(_apps: Any, editor: Any) -> None:
    for _ in backfill(editor.connection, "flights_flight", "departed", DEPARTED, key="id"):
        pass


class Migration(migrations.Migration):
    atomic = False  # a concurrent build takes several transactions
    dependencies: ClassVar = [("flights", "0002_numbers")]

    operations: ClassVar = [
        Patiently(
            "ALTER TABLE flights_flight ADD COLUMN IF NOT EXISTS departed timestamptz",
            "ALTER TABLE flights_flight DROP COLUMN IF EXISTS departed",
            [migrations.AddField("flight", "departed", models.DateTimeField(null=True))],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            "flight",
            models.Index(
                Coalesce("departure_delay", -32_768).desc(),
                models.F("id").desc(),
                name="flight_most_delayed",
            ),
        ),
        AddIndexConcurrently(
            "flight", BrinIndex(models.F("departed"), name="flight_departed", pages_per_range=16)
        ),
    ]
