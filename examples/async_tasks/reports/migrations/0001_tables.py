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
                ("on_time", models.IntegerField()),
                ("csv", models.TextField()),
                ("created_at", models.DateTimeField(db_default=Now())),
            ],
        ),
        migrations.CreateModel(
            name="Day",
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
                ("flights", models.SmallIntegerField()),
                ("on_time", models.SmallIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("airline", "month", "day"), name="day_of_an_airline"
                    )
                ],
            },
        ),
    ]
