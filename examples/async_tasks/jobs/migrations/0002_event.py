"""The events of jobs, and the triggers that write them."""

from pathlib import Path
from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

TELL = (Path(__file__).parents[1] / "tell.sql").read_text("utf-8")
FORGET = """
DROP TRIGGER jobs_tell_change ON jobs_job;
DROP TRIGGER jobs_tell_new ON jobs_job;
DROP FUNCTION jobs_tell();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [("jobs", "0001_initial")]
    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        "jobs.job",
                        django.db.models.deletion.CASCADE,
                        db_index=False,
                        related_name="events",
                    ),
                ),
                ("state", models.TextField()),
                ("progress", models.SmallIntegerField()),
                ("created_at", models.DateTimeField(db_default=Now())),
            ],
            options={"indexes": [models.Index(fields=["job", "id"], name="events_of_a_job")]},
        ),
        migrations.RunSQL(TELL, FORGET),
    ]
