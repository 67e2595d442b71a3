"""Airports and their departures; the purges of what changes are in a table of `layers/outbox.sql`."""

from django.db import models


class Airport(models.Model):
    """One airport of `airportsdata`; the database itself counts `version` up, see `triggers.sql`."""

    code = models.CharField(primary_key=True, max_length=8)  # ICAO
    name = models.TextField()
    city = models.TextField()
    country = models.CharField(max_length=2)
    latitude = models.FloatField()
    longitude = models.FloatField()
    version = models.BigIntegerField(default=1, db_default=1)


class Departure(models.Model):
    """One line of an airport's board; made up from the airports."""

    airport = models.ForeignKey(Airport, models.CASCADE, related_name="departures")
    flight = models.TextField()
    destination = models.CharField(max_length=8)
    minute = models.IntegerField()  # of the day
