"""The tables."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models


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
    ]
