"""The tables, and the triggers that make every write count."""

from pathlib import Path
from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

TRIGGERS = Path(__file__).parents[1].joinpath("triggers.sql").read_text("utf-8")


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar[list[Any]] = []
    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            "Airport",
            [
                ("code", models.CharField(max_length=8, primary_key=True, serialize=False)),
                ("name", models.TextField()),
                ("city", models.TextField()),
                ("country", models.CharField(max_length=2)),
                ("latitude", models.FloatField()),
                ("longitude", models.FloatField()),
                ("version", models.BigIntegerField(db_default=1, default=1)),
            ],
        ),
        migrations.CreateModel(
            "Outbox",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tag", models.TextField()),
                ("place", models.TextField(db_default="cache")),
                ("due", models.DateTimeField(db_default=Now())),
            ],
        ),
        migrations.CreateModel(
            "Departure",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ("flight", models.TextField()),
                ("destination", models.CharField(max_length=8)),
                ("minute", models.IntegerField()),
                (
                    "airport",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="departures",
                        to="flights.airport",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(TRIGGERS),
    ]
