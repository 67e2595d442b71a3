"""The delays of the flights, after the last migration."""

from django.db import models


class Delay(models.Model):
    flight_id = models.BigIntegerField(primary_key=True)
    late = models.SmallIntegerField()
    cause = models.CharField(default="", max_length=20)
    delay_minutes = models.SmallIntegerField(null=True)
