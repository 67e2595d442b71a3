"""A room per airport or booking, its flights, what is to be told, and who may listen to a booking."""

import secrets
from uuid import uuid4

from django.db import models


def epoch() -> str:
    return secrets.token_hex(4)


class Room(models.Model):
    name = models.CharField(max_length=6, primary_key=True)
    epoch = models.CharField(max_length=8, default=epoch)  # another one after a backup was restored
    seq = models.BigIntegerField(default=0)


class Flight(models.Model):
    room = models.ForeignKey(Room, models.CASCADE)
    number = models.CharField(max_length=8)
    departs = models.DateTimeField()
    gate = models.CharField(max_length=8, default="")
    remark = models.TextField(default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("room", "number"), name="flight_of_room"),)


class Outbox(models.Model):
    """A change that was committed and is not told yet; without a room, the end of the session in `body`."""

    room = models.CharField(max_length=6)
    epoch = models.CharField(max_length=8)
    seq = models.BigIntegerField()
    body = models.TextField()


class Session(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)
    room = models.ForeignKey(Room, models.CASCADE)
    expires_at = models.DateTimeField()
