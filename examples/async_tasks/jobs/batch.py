"""Many jobs and one after all of them: Celery's chord, without a counter that a lost member would stop.

Whether all have ended is read from their rows by the keeper, once a second (`gather.sql`).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from . import sql
from .models import Job, Outbox


def submit_batch(
    kind: str,
    arguments: Mapping[str, Any],
    members: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    queue: str,
    correlation: str = "",
) -> UUID:
    """Write the members down to be sent, and a job that is sent when all of them have ended; return its id.

    Args:
        members: kind and arguments of each. One that is dead or cancelled has ended, too.
    """
    with transaction.atomic():
        whole = Job.objects.create(
            kind=kind, queue=queue, arguments=arguments, correlation=correlation
        )
        parts = Job.objects.bulk_create(
            Job(kind=of, queue=queue, arguments=its, correlation=correlation, whole=whole)
            for of, its in members
        )
        Outbox.objects.bulk_create(Outbox(job=part, queue=queue) for part in parts)
    return whole.id


def gather() -> list[UUID]:
    """Send what has waited for its members, and return it."""
    return [job for (job,) in sql.rows("gather")]
