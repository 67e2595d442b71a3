"""Take each migration of one way forth, back and forth again; tell what differs as JSON."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from changes.rehearsal import rehearse
from django.core.management.base import BaseCommand
from django.db import connection

from flights.delays import BEGUN, begin


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app", choices=BEGUN)

    def handle(self, *_args: Any, **options: Any) -> None:
        table = begin(connection, options["app"])
        steps = [asdict(step) for step in rehearse(connection, options["app"], table)]
        self.stdout.write(json.dumps(steps))
