"""The truth about jobs: what each is, whether it was sent, who runs it, and what was given up."""

import uuid

from django.db import models
from django.db.models.functions import Now


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Job(models.Model):
    """One piece of work, asked for once; until it is sent, its row is a message in the outbox.

    Attributes:
        key: the Idempotency-Key it was asked for with.
        attempts: runs begun; the number of a run is its fencing token.
        failures: runs that asked for another try since the job was asked for, or replayed.
        losses: runs that ended without a word.
        lease_until: the run has to have said something by then.
        due_at: when it is to be handed to the broker.
        sent_at: when the broker has confirmed it; null: it is still to be sent.
        alone: shares its message with no other job: it was lost, or has failed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    key = models.TextField(null=True)  # noqa: DJ001 -- many have none, and "" is unique
    kind = models.TextField()
    queue = models.TextField()
    arguments = models.JSONField()
    state = models.TextField(choices=State, db_default=State.QUEUED)
    attempts = models.IntegerField(db_default=0)
    failures = models.IntegerField(db_default=0)
    losses = models.IntegerField(db_default=0)
    error = models.TextField(db_default="")
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    alone = models.BooleanField(db_default=False)
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["key"], name="job_of_a_key"),)
        indexes = (
            # What was sent and has not ended: nothing in it changes while a job is run, and a long outbox is
            # not in it. Not by the states: each statement about one job names those.
            models.Index(
                fields=["queue"],
                condition=models.Q(finished_at=None, sent_at__isnull=False),
                name="jobs_on_their_way",
            ),
            models.Index(
                fields=["queue", "due_at"],
                condition=models.Q(finished_at=None, sent_at=None),
                name="due_on_a_queue",
            ),
        )


class Run(models.Model):
    """One beginning of a run, of whatever variant; a job that is gone keeps its runs.

    Attributes:
        due_at: the moment that Celery was asked to wait for, of a run that is a task's own.
    """

    job_id = models.UUIDField(db_index=True)
    attempt = models.IntegerField()
    worker = models.TextField()
    due_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(db_default=Now(), db_index=True)


class DeadLetter(models.Model):
    """A job that was given up, with the reason; open until somebody has dealt with it."""

    job = models.ForeignKey(Job, models.CASCADE)
    reason = models.TextField()
    detail = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)
