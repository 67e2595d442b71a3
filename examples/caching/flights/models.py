"""Airports and their departures; every change of either is a new version of the airport."""

from django.db import models
from django.db.models.functions import Now


class Airport(models.Model):
    """One airport of `airportsdata`; the database itself counts `version` up, see `triggers.sql`."""

    code = models.CharField(primary_key=True, max_length=8)  # ICAO
    name = models.TextField()
    city = models.TextField()
    country = models.CharField(max_length=2)
    latitude = models.FloatField()
    longitude = models.FloatField()
    version = models.BigIntegerField(default=1, db_default=1)

    def __str__(self) -> str:
        return self.code


class Departure(models.Model):
    """One line of an airport's board; made up from the airports."""

    airport = models.ForeignKey(Airport, models.CASCADE, related_name="departures")
    flight = models.TextField()
    destination = models.CharField(max_length=8)
    minute = models.IntegerField()  # of the day

    def __str__(self) -> str:
        return self.flight


class Outbox(models.Model):
    """A purge that is due: written by a trigger with the change itself, carried out by the relay."""

    id = models.BigAutoField(primary_key=True)
    tag = models.TextField()
    place = models.TextField(db_default="cache")  # then `edge`, where there is a CDN
    due = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.tag
