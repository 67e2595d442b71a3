"""What an operator does with jobs: look at them, try one again, give one up."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from jobs import operating
from jobs.models import Job, State


class Command(BaseCommand):
    help = "List jobs, show one with its runs and dead letters, replay or cancel it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="the newest jobs")
        listed.add_argument("--state", choices=State.values)
        listed.add_argument("--most", type=int, default=20)
        for name, text in (("show", "one job"), ("cancel", "end a job without its effect")):
            actions.add_parser(name, help=text).add_argument("job", type=UUID)
        replay = actions.add_parser("replay", help="begin a dead job again")
        replay.add_argument("job", type=UUID)
        replay.add_argument("--arguments", type=json.loads, help="JSON, merged into what it has")

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        if action == "list":
            found = Job.objects.order_by("-created_at")
            if options["state"]:
                found = found.filter(state=options["state"])
            for job in found[: options["most"]]:
                self.stdout.write(f"{job.id} {job.state:9} runs {job.attempts:2} {job.error[:60]}")
            return
        job = options["job"]
        try:
            if action == "show":
                for line in operating.shown(job):
                    self.stdout.write(line)
            elif action == "replay":
                operating.replay(job, options["arguments"] or {})
                self.stdout.write(f"{job} is queued again")
            else:
                operating.cancel(job)
                self.stdout.write(f"{job} is cancelled")
        except operating.Refused as error:
            raise CommandError(str(error)) from error
