"""The flights, made empty; `manage.py prepare` fills them."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = []

    operations: ClassVar = [
        migrations.CreateModel(
            name="Flight",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("carrier", models.CharField(max_length=2)),
                ("number", models.IntegerField()),
                ("origin", models.CharField(db_index=True, max_length=3)),
                ("destination", models.CharField(max_length=3)),
                ("departs", models.DateTimeField()),
                ("delay_minutes", models.SmallIntegerField(null=True)),
                ("distance_miles", models.SmallIntegerField()),
                ("bags", models.SmallIntegerField(db_default=0, default=0)),
                ("version", models.BigIntegerField(db_default=1, default=1)),
            ],
        ),
        migrations.CreateModel(
            name="Booking",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("passenger", models.CharField(max_length=80)),
                ("seat", models.CharField(max_length=3)),
                (
                    "flight",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="flights.flight"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("flight"), models.F("seat"), name="one_booking_a_seat"
                    )
                ],
            },
        ),
    ]
