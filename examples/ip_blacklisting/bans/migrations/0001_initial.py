"""The tables; see models."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import bans.models


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = []

    operations: ClassVar = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=200)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="DayKey",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("key", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Feed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField(unique=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("networks", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=32)),
                ("run", models.BinaryField()),
                ("shadow", models.BooleanField(default=False)),
                ("imported", models.DateTimeField(auto_now=True)),
                ("expires", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Sighting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
                ("client", models.CharField(db_index=True, max_length=20)),
                ("network", bans.models.CidrField()),
                ("path", models.CharField(max_length=200)),
                ("status", models.PositiveSmallIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Ban",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("network", bans.models.CidrField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("deny", "Deny"), ("allow", "Allow")], default="deny", max_length=5
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[("login", "logins only"), ("full", "Full")],
                        default="full",
                        max_length=5,
                    ),
                ),
                (
                    "shadow",
                    models.BooleanField(default=False, help_text="counted, but not refused"),
                ),
                ("reason", models.CharField(max_length=200)),
                ("source", models.CharField(help_text="operator, detector, appeal", max_length=40)),
                ("evidence", models.JSONField(blank=True, default=dict)),
                (
                    "starts",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires", models.DateTimeField(blank=True, null=True)),
                ("lifted", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("network"),
                        models.F("kind"),
                        condition=models.Q(("lifted", None)),
                        name="one_active_ban",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Appeal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("text", models.CharField(max_length=1000)),
                ("granted", models.BooleanField(null=True)),
                (
                    "ban",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, to="bans.ban"
                    ),
                ),
            ],
        ),
    ]
