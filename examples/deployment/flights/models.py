"""The one thing that is written: a booking, once for each key that a client made up for it."""

from typing import ClassVar

from django.db import models


class Booking(models.Model):
    """A seat on a flight; `key` is unique, so that of two at once one is refused by the database."""

    key = models.CharField(max_length=100, unique=True)
    flight = models.CharField(max_length=8)
    passenger = models.CharField(max_length=100)
    receipt = models.CharField(max_length=64, blank=True)
    release = models.CharField(max_length=20)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["pk"]
