"""Numbers that are kept instead of counted: the months of each airport, and how often a board was seen."""

from pathlib import Path
from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

MONTHLY = Path(__file__).parents[1].joinpath("monthly.sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("flights", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL(
            MONTHLY,
            "DROP MATERIALIZED VIEW flights_monthly",
            [
                migrations.CreateModel(
                    name="Month",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "month",
                                "origin_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("month", models.DateField()),
                        (
                            "origin",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="flights.airport",
                            ),
                        ),
                        ("flights", models.IntegerField()),
                        ("cancelled", models.IntegerField()),
                        ("mean_delay", models.FloatField(null=True)),
                        ("rank", models.SmallIntegerField()),
                    ],
                    options={"db_table": "flights_monthly", "managed": False},
                )
            ],
        ),
        migrations.CreateModel(
            name="Views",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slot", models.SmallIntegerField()),
                ("seen", models.BigIntegerField()),
                (
                    "airport",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="flights.airport",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("airport", "slot"), name="views_slot")
                ],
            },
        ),
    ]
