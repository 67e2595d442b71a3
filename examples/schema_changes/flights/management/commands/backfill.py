"""Fill `delay_minutes` in batches, as the migration does; with --die-after, be killed in the middle."""

import os
import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from flights.expand_contract import synced


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--die-after", type=int, default=0, metavar="BATCHES")

    def handle(self, *_args: Any, **options: Any) -> None:
        batches = synced.filled(connection, "delay_minutes", "late")
        for number, filled in enumerate(batches, 1):
            if number == options["die_after"]:
                os.kill(os.getpid(), signal.SIGKILL)
            self.stdout.write(f"{filled} rows")
