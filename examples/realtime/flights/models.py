"""A room per airport or booking, its flights, what is to be told, and who may listen to a booking."""

import secrets
from uuid import uuid4

from django.db.models import (
    CASCADE,
    BigIntegerField,
    CharField,
    DateTimeField,
    ForeignKey,
    Model,
    TextField,
    UniqueConstraint,
    UUIDField,
)


def epoch() -> str:
    return secrets.token_hex(4)


class Room(Model):
    name = CharField(max_length=6, primary_key=True)
    epoch = CharField(max_length=8, default=epoch)  # another one after a backup was restored
    seq = BigIntegerField(default=0)


class Flight(Model):
    room = ForeignKey(Room, CASCADE)
    number = CharField(max_length=8)
    departs = DateTimeField()
    gate = CharField(max_length=8, default="")
    remark = TextField(default="")

    class Meta:
        constraints = (UniqueConstraint(fields=("room", "number"), name="flight_of_room"),)


class Outbox(Model):
    """A change that was committed and is not told yet; without a room, the end of the session in `body`."""

    room = CharField(max_length=6)
    epoch = CharField(max_length=8)
    seq = BigIntegerField()
    body = TextField()


class Session(Model):
    id = UUIDField(primary_key=True, default=uuid4)
    room = ForeignKey(Room, CASCADE)
    expires_at = DateTimeField()
