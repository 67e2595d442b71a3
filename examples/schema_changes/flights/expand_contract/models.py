"""The delays of the flights, after the last migration."""

from django.db import models


class Delay(models.Model):
    flight_id = models.BigIntegerField(primary_key=True)
    delay_minutes = models.SmallIntegerField()
