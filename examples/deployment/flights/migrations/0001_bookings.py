"""Create the bookings."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            "Booking",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=100, unique=True)),
                ("flight", models.CharField(max_length=8)),
                ("passenger", models.CharField(max_length=100)),
                ("receipt", models.CharField(max_length=64, blank=True)),
                ("release", models.CharField(max_length=20)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
            {"ordering": ["pk"]},
        ),
    )
