"""What people do with a job: cancel it, replay it once its cause is mended, look at its runs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from . import sql
from .models import DeadLetter, Job, Run, State

OPEN = (State.QUEUED, State.RUNNING)


class Refused(ValueError):
    """The job is not in a state for that; the message says so."""


def found(job: UUID) -> Job:
    if (there := Job.objects.filter(id=job).first()) is None:
        raise Refused(f"there is no job {job}")
    return there


def cancel(job: UUID) -> None:
    """End *job* without its effect: a run that goes on is fenced off, a message that comes runs nothing.

    Raises:
        Refused: it has ended in another way, or is unknown.
    """
    ended = Job.objects.filter(id=job, state__in=OPEN).update(
        state=State.CANCELLED, finished_at=Now()
    )
    if not ended and (state := found(job).state) != State.CANCELLED:
        raise Refused(f"the job has ended: {state}")


def replay(job: UUID, arguments: Mapping[str, Any]) -> None:
    """Begin a dead or cancelled job anew, *arguments* merged into its own; its dead letters are closed.

    Raises:
        Refused: it is not dead or cancelled, or is unknown.
    """
    with transaction.atomic():
        there = Job.objects.select_for_update().filter(id=job).first() or found(job)
        if there.state not in (State.DEAD, State.CANCELLED):
            raise Refused(f"only a dead or cancelled job is replayed; this one is {there.state}")
        there.state, there.error = State.QUEUED, ""
        there.failures = there.losses = 0
        there.finished_at = there.sent_at = None
        there.arguments = {**there.arguments, **arguments}
        there.save()
        DeadLetter.objects.filter(job_id=job, resolved_at=None).update(resolved_at=Now())
        sql.rows("send", job=job, delay=0)


def shown(job: UUID) -> Iterator[str]:
    """Yield what is known of *job*, a line each."""
    there = found(job)
    yield f"{there.state}, on {there.queue}, correlation {there.correlation}"
    yield f"arguments {json.dumps(there.arguments)}"
    yield f"asked for {there.created_at:%Y-%m-%d %H:%M:%S}, sent {there.sent_at or 'never'}"
    for run in Run.objects.filter(job_id=job).order_by("started_at"):
        yield f"run {run.attempt} at {run.started_at:%H:%M:%S.%f} on {run.worker}"
    for letter in DeadLetter.objects.filter(job_id=job).order_by("created_at"):
        closed = "" if letter.resolved_at is None else ", dealt with"
        yield f"dead letter {letter.created_at:%H:%M:%S}: {letter.reason}{closed}"
        yield from (f"  {line}" for line in letter.detail.splitlines())
    if there.error:
        yield f"error {there.error}"
