"""The tables of what is kept."""

from typing import ClassVar

from django.db import migrations, models

ID = models.BigAutoField(primary_key=True, serialize=False)


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar[list[tuple[str, str]]] = []

    operations: ClassVar[list[migrations.CreateModel]] = [
        migrations.CreateModel(
            "DayKey",
            [
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("key", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            "Finding",
            [
                ("id", ID.clone()),
                ("variant", models.CharField(max_length=20)),
                ("at", models.DateTimeField(db_index=True)),
                ("client", models.CharField(max_length=64)),
                ("network", models.CharField(max_length=50)),
                ("scope", models.CharField(max_length=10)),
                ("reason", models.CharField(max_length=100)),
                ("parts", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            "LogLine",
            [
                ("id", ID.clone()),
                ("entry", models.CharField(max_length=50, unique=True)),
                ("at", models.DateTimeField(db_index=True)),
                ("client", models.CharField(max_length=20)),
                ("network", models.CharField(max_length=50)),
                ("kind", models.CharField(max_length=20)),
                ("path", models.CharField(max_length=200)),
                ("status", models.SmallIntegerField()),
            ],
        ),
        migrations.CreateModel(
            "Visit",
            [
                ("id", ID.clone()),
                ("at", models.DateTimeField()),
                ("client", models.CharField(max_length=64)),
                ("path", models.TextField()),
            ],
        ),
    ]
