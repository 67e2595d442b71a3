"""The tables; see models."""

from typing import ClassVar

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
                ("mark", models.CharField(max_length=36)),
                ("previous", models.CharField(max_length=36)),
                ("at", models.DateTimeField()),
                ("after", models.JSONField()),
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
                ("networks", models.PositiveIntegerField()),
                ("run", models.BinaryField()),
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
                        choices=[("deny", "Deny"), ("allow", "Allow")],
                        db_default="deny",
                        max_length=5,
                    ),
                ),
                ("expires", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("network"),
                        models.F("kind"),
                        name="one_ban",
                    )
                ],
            },
        ),
    ]
