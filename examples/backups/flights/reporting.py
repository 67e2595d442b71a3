"""Commands that report, as JSON on one line."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from restore.proof import Report

from .keeping import alone
from .variants import BY_NAME


class ReportingCommand(BaseCommand):
    """Prints what `act` reports of a variant; a bad report ends it with 1, so that cron tells somebody."""

    requires_system_checks = ()
    act: Callable[[str], Report]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("variant", choices=BY_NAME)
        parser.add_argument("--report", action="store_true", help="end with 0 whatever is reported")

    def handle(self, *_args: Any, **options: Any) -> None:
        with alone():
            report = type(self).act(options["variant"])
        self.stdout.write(json.dumps(asdict(report)))
        if not report.good and not options["report"]:
            sys.exit(1)
