"""The tables."""

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar[list[Any]] = []

    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("job_id", models.UUIDField(db_index=True)),
                ("airline", models.CharField(max_length=2)),
                ("month", models.SmallIntegerField()),
                ("flights", models.IntegerField()),
                ("on_time", models.FloatField(null=True)),
                ("low", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("lost", models.IntegerField(default=0)),
                ("csv", models.TextField()),
                ("svg", models.TextField()),
                ("created_at", models.DateTimeField(db_default=Now())),
            ],
        ),
        migrations.CreateModel(
            name="Flight",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("airline", models.CharField(max_length=2)),
                ("month", models.SmallIntegerField()),
                ("day", models.SmallIntegerField()),
                ("departure_delay", models.SmallIntegerField(null=True)),
                ("arrival_delay", models.SmallIntegerField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["airline", "month"], name="flights_of_a_report")],
            },
        ),
    ]
