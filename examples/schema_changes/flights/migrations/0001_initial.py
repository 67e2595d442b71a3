"""The flights, made empty; `manage.py prepare` fills them."""

from typing import ClassVar

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
                ("number", models.SmallIntegerField()),
                ("scheduled_departure", models.DateTimeField()),
                ("departure_delay", models.SmallIntegerField(null=True)),
                ("distance_miles", models.SmallIntegerField()),
            ],
        )
    ]
