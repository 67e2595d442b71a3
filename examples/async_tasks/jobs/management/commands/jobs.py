"""What an operator does with a job: look at it, and try it again once its cause is mended."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models.functions import Now

from jobs.models import DeadLetter, Job, Run, State


class Command(BaseCommand):
    help = "Show a job with its runs and dead letters, and replay it if asked to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=UUID)
        parser.add_argument("--replay", action="store_true", help="begin a dead job again")
        parser.add_argument(
            "--arguments", type=json.loads, default={}, help="JSON, merged into its own"
        )

    def handle(self, *_: Any, job: UUID, replay: bool, **options: Any) -> None:
        if replay and not replayed(job, options["arguments"]):
            raise CommandError(f"there is no dead job {job}")
        for line in shown(job):
            self.stdout.write(line)


@transaction.atomic
def replayed(job: UUID, arguments: Mapping[str, Any]) -> bool:
    """Begin a dead job anew, *arguments* merged into its own; False if it is not dead."""
    dead = Job.objects.select_for_update().filter(id=job, state=State.DEAD).first()
    if dead is None:
        return False
    dead.state, dead.failures, dead.losses, dead.finished_at = State.QUEUED, 0, 0, None
    dead.due_at = Now()
    dead.arguments = {**dead.arguments, **arguments}
    dead.save()
    DeadLetter.objects.filter(job_id=job, resolved_at=None).update(resolved_at=Now())
    return True


def shown(job: UUID) -> Iterator[str]:
    """Yield what is known of *job*, a line each."""
    for there in Job.objects.filter(id=job):
        yield f"{there.state}, on {there.queue}, arguments {json.dumps(there.arguments)}"
        yield f"asked for {there.created_at:%Y-%m-%d %H:%M:%S}, sent {there.sent_at or 'never'}"
    for run in Run.objects.filter(job_id=job).order_by("started_at"):
        yield f"run {run.attempt} at {run.started_at:%H:%M:%S.%f} on {run.worker}"
    for letter in DeadLetter.objects.filter(job_id=job).order_by("created_at"):
        yield f"dead letter {letter.created_at:%H:%M:%S}: {letter.reason}\n{letter.detail}"
