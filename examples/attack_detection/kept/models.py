"""What is kept: lines without addresses, the keys of their days, and who was found."""

from django.db import models


class DayKey(models.Model):
    """The key of one day's pseudonyms; without it they lead nowhere."""

    day = models.DateField(primary_key=True)
    key = models.BinaryField()


class LogLine(models.Model):
    """Something that was not simply served."""

    entry = models.CharField(
        max_length=50, unique=True
    )  # of the stream: written twice, it is there once
    at = models.DateTimeField(db_index=True)
    client = models.CharField(max_length=20)
    network = models.CharField(max_length=50)
    kind = models.CharField(max_length=20)
    path = models.CharField(max_length=200)
    status = models.SmallIntegerField()
    country = models.CharField(max_length=2, blank=True, db_default="")


class Finding(models.Model):
    """A verdict and its parts, for people to look at."""

    variant = models.CharField(max_length=20)
    at = models.DateTimeField(db_index=True)
    client = models.CharField(max_length=64)
    network = models.CharField(max_length=50)
    scope = models.CharField(max_length=10)
    reason = models.CharField(max_length=100)
    parts = models.JSONField(default=dict)


class Visit(models.Model):
    """A line of a log that is said to be anonymous: the SHA-256 of an address, and all of the path."""

    at = models.DateTimeField()
    client = models.CharField(max_length=64)
    path = models.TextField()
    country = models.CharField(max_length=2, blank=True, db_default="")
