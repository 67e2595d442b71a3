"""What an operator does with a job: look at it, try it again, give it up."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from jobs import operating


class Command(BaseCommand):
    help = "Show a job with its runs and dead letters, replay or cancel it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, text in (("show", "only that"), ("cancel", "end a job without its effect")):
            actions.add_parser(name, help=text).add_argument("job", type=UUID)
        replay = actions.add_parser("replay", help="begin a dead job again")
        replay.add_argument("job", type=UUID)
        replay.add_argument("--arguments", type=json.loads, help="JSON, merged into what it has")

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        job = options["job"]
        try:
            if action == "replay":
                operating.replay(job, options["arguments"] or {})
            elif action == "cancel":
                operating.cancel(job)
            for line in operating.shown(job):
                self.stdout.write(line)
        except operating.Refused as error:
            raise CommandError(str(error)) from error
