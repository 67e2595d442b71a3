"""The table as it was: delays in `late`, and a `cause` that nobody reads any more."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations: ClassVar = [
        migrations.CreateModel(
            name="Delay",
            fields=[
                ("flight_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("late", models.SmallIntegerField()),
                ("cause", models.CharField(default="", max_length=20)),
            ],
        )
    ]
