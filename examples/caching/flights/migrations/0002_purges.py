"""The outbox, and the triggers that make every write count; earlier ones of this example go."""

from pathlib import Path
from typing import Any, ClassVar

from django.db import migrations
from layers.outbox import TABLE

TRIGGERS = Path(__file__).parents[1].joinpath("triggers.sql").read_text("utf-8")
EARLIER = """
    DROP TABLE IF EXISTS flights_outbox;
    DROP FUNCTION IF EXISTS flights_airport_changed, flights_departure_changed, flights_truncated,
        flights_count_version CASCADE;
    DROP SEQUENCE IF EXISTS flights_pages_read, flights_alternates_computed;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [("flights", "0001_initial")]
    operations: ClassVar[list[Any]] = [
        migrations.RunSQL(each) for each in (EARLIER, TABLE, TRIGGERS)
    ]
