"""What tests ask of the rows."""

from jobs.models import Job


def outbox():
    """Return the jobs that are still to be sent."""
    return Job.objects.filter(sent_at=None, finished_at=None)
