"""Flights are public; bookings and passengers are seen by three kinds of callers."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models


def reference() -> str:
    return secrets.token_hex(4).upper()


class Flight(models.Model):
    number = models.CharField(max_length=8, unique=True)
    airline = models.CharField(max_length=2)
    departs = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]


class Passenger(models.Model):
    """Who flies: the user itself, so that a booking names its owner."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    name = models.CharField(max_length=100)
    passport = models.CharField(max_length=9)


class Desk(models.Model):
    """A user who works for an airline."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    airline = models.CharField(max_length=2)


class Booking(models.Model):
    reference = models.CharField(max_length=8, default=reference, unique=True, editable=False)
    flight = models.ForeignKey(Flight, models.CASCADE)
    passenger = models.ForeignKey(Passenger, models.CASCADE)
    seat = models.CharField(max_length=3)
    checked_in = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["pk"]


class Denied(models.Model):
    """A token of the variant `tutorial` that was logged out, by its text."""

    digest = models.CharField(max_length=64, primary_key=True)
