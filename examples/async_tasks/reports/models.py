"""What reports are about, and the reports."""

from django.db import models
from django.db.models.functions import Now


class Day(models.Model):
    """The flights of an airline on a day of 2013, and how many of them arrived on time."""

    airline = models.CharField(max_length=2)
    month = models.SmallIntegerField()
    day = models.SmallIntegerField()
    flights = models.SmallIntegerField()
    on_time = models.SmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["airline", "month", "day"], name="day_of_an_airline"),
        )


class Report(models.Model):
    """What a job has made: its effect, of which there has to be one for each job.

    Nothing in the table forbids a second one: whoever makes the reports sees to that, or does not.
    """

    job_id = models.UUIDField(db_index=True)
    airline = models.CharField(max_length=2)
    month = models.SmallIntegerField()
    flights = models.IntegerField()
    on_time = models.IntegerField()
    csv = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
