"""What is done is reported: a sentence on one line of JSON, and the exit status for whoever reads no JSON."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from keep.place import Failed, Rows

from .keeping import alone
from .variants import BY_NAME


@dataclass(frozen=True, slots=True)
class Report:
    """Whether all is well, and what there is to say about it."""

    good: bool
    says: str


def tried(act: Callable[..., Any], *args: Any, **options: Any) -> Report:
    """Report what `act` says, or why it failed."""
    try:
        return Report(True, act(*args, **options))
    except (Failed, OSError, psycopg.Error) as fault:
        return Report(False, [*str(fault).splitlines(), type(fault).__name__][0])


class ReportingCommand(BaseCommand):
    """Prints what `act` says of a variant; a fault ends it with 1, so that cron tells somebody."""

    requires_system_checks = ()
    act: Callable[..., str]
    turn: Callable[[], AbstractContextManager[None]] = staticmethod(alone)
    takes: tuple[str, ...] = ()  # the options that `act` wants
    found: list[Rows] | None = None  # what queries were answered

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("variant", choices=BY_NAME)
        parser.add_argument("--report", action="store_true", help="end with 0 whatever is reported")

    def handle(self, *_args: Any, **options: Any) -> None:
        wants = {name: options[name] for name in self.takes}
        with self.turn():
            report = tried(self.act, options["variant"], **wants)
        said = asdict(report) | ({} if self.found is None else {"found": self.found})
        self.stdout.write(json.dumps(said, default=str))
        if not report.good and not options["report"]:
            sys.exit(1)
