"""The tables of models.py."""

from uuid import uuid4

import django.db.models.deletion
from django.db import migrations, models

import flights.models

ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            "Outbox",
            [
                ("id", ID),
                ("room", models.CharField(max_length=6)),
                ("epoch", models.CharField(max_length=8)),
                ("seq", models.BigIntegerField()),
                ("body", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            "Room",
            [
                ("name", models.CharField(max_length=6, primary_key=True, serialize=False)),
                ("epoch", models.CharField(default=flights.models.epoch, max_length=8)),
                ("seq", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            "Session",
            [
                ("id", models.UUIDField(default=uuid4, primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField()),
                ("room", models.ForeignKey("flights.Room", django.db.models.deletion.CASCADE)),
            ],
        ),
        migrations.CreateModel(
            "Flight",
            [
                ("id", ID),
                ("number", models.CharField(max_length=8)),
                ("departs", models.DateTimeField()),
                ("gate", models.CharField(default="", max_length=8)),
                ("remark", models.TextField(default="")),
                ("room", models.ForeignKey("flights.Room", django.db.models.deletion.CASCADE)),
            ],
            {
                "constraints": (
                    models.UniqueConstraint(fields=("room", "number"), name="flight_of_room"),
                )
            },
        ),
    )
