"""The reports."""

from django.db import models


class Report(models.Model):
    """What a job has made: its effect, of which there has to be one for each job.

    Nothing in the table forbids a second one: whoever makes the reports sees to that, or does not.
    """

    job_id = models.UUIDField(db_index=True)
    csv = models.TextField()
