"""The tables and their indexes, made empty; `manage.py prepare` fills them."""

from typing import ClassVar

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = []

    operations: ClassVar = [
        TrigramExtension(),
        migrations.CreateModel(
            name="Airline",
            fields=[
                ("code", models.CharField(max_length=2, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
            ],
        ),
        migrations.CreateModel(
            name="Plane",
            fields=[
                ("tail_number", models.CharField(max_length=6, primary_key=True, serialize=False)),
                ("year", models.SmallIntegerField(null=True)),
                ("manufacturer", models.CharField(max_length=40)),
                ("model", models.CharField(max_length=40)),
                ("seats", models.SmallIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Airport",
            fields=[
                ("code", models.CharField(max_length=4, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                ("city", models.CharField(max_length=80)),
                ("country", models.CharField(max_length=2)),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["name"], name="airport_name_trigram", opclasses=["gin_trgm_ops"]
                    )
                ],
            },
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
                ("number", models.SmallIntegerField()),
                ("scheduled_departure", models.DateTimeField()),
                ("departure_delay", models.SmallIntegerField(null=True)),
                ("departed", models.DateTimeField(null=True)),
                ("arrival_delay", models.SmallIntegerField(null=True)),
                ("air_minutes", models.SmallIntegerField(null=True)),
                ("distance_miles", models.SmallIntegerField()),
                (
                    "airline",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flights",
                        to="flights.airline",
                    ),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="arrivals",
                        to="flights.airport",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="departures",
                        to="flights.airport",
                    ),
                ),
                (
                    "plane",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flights",
                        to="flights.plane",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["origin", "scheduled_departure", "id"],
                        include=("departure_delay",),
                        name="flight_board",
                    ),
                    models.Index(
                        condition=models.Q(("departure_delay__gte", 15)),
                        fields=[
                            "origin",
                            "destination",
                            "-departure_delay",
                            "scheduled_departure",
                            "id",
                        ],
                        name="flight_late",
                    ),
                    models.Index(
                        fields=["plane", "-scheduled_departure", "-id"], name="flight_of_plane"
                    ),
                    models.Index(fields=["-scheduled_departure", "-id"], name="flight_newest"),
                    models.Index(
                        models.OrderBy(Coalesce("departure_delay", -32_768), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="flight_most_delayed",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        models.F("departed"),
                        name="flight_departed",
                        pages_per_range=16,
                        autosummarize=True,
                    ),
                    models.Index(fields=["destination"], name="flight_destination"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Weather",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("temperature_fahrenheit", models.FloatField(null=True)),
                ("wind_mph", models.FloatField(null=True)),
                ("precipitation_inches", models.FloatField(null=True)),
                ("visibility_miles", models.FloatField(null=True)),
                (
                    "airport",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="weather",
                        to="flights.airport",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("airport", "hour"), name="weather_once_an_hour")
                ],
            },
        ),
    ]
