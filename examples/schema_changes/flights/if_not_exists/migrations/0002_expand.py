"""Add the new column and fill it in batches, unless a run that was cut off has added it or filled any."""

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models import F

TABLE = "ALTER TABLE if_not_exists_delay"
BATCH_ROWS = 5_000


def fill(apps: Any, _editor: Any) -> None:
    delays = apps.get_model("if_not_exists", "Delay").objects
    if delays.exclude(delay_minutes=None).exists():
        return
    keys = list(delays.order_by("flight_id").values_list("flight_id", flat=True))
    for first in range(0, len(keys), BATCH_ROWS):
        batch = keys[first : first + BATCH_ROWS]
        delays.filter(flight_id__range=(batch[0], batch[-1])).update(delay_minutes=F("late"))


class Migration(migrations.Migration):
    atomic = False  # each batch is committed
    dependencies: ClassVar = [("if_not_exists", "0001_delays")]
    operations: ClassVar = [
        migrations.RunSQL(
            f"{TABLE} ADD COLUMN IF NOT EXISTS delay_minutes smallint",
            f"{TABLE} DROP COLUMN IF EXISTS delay_minutes",
            [migrations.AddField("Delay", "delay_minutes", models.SmallIntegerField(null=True))],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
