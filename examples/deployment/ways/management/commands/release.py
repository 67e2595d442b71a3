"""Replace the release that is live, or look at what is."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from releases import Refused

from ways import configured
from ways.crew import Crew
from ways.variants import of

REFUSED = 3  # exit code; any other fault of this command has another one


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        orders = parser.add_subparsers(dest="order", required=True)
        start = orders.add_parser("start", help="put a release in the place of the live one")
        start.add_argument("folder", help="shipped/<folder>.env")
        orders.add_parser("status", help="say what is live, and what runs")

    def handle(self, *_args: Any, order: str, **options: Any) -> None:
        try:
            crew = configured.crew()
            if order == "start":
                start(crew, options["folder"])
            self.stdout.write(json.dumps(status(crew)))
        except Refused as refusal:
            self.stderr.write(f"refused: {refusal}.")
            sys.exit(REFUSED)


def start(crew: Crew, folder: str) -> None:
    """Put the release in `folder` in the place of the live one, in the way that is in use."""
    with crew.journal.alone():
        configured.shipped(folder)
        of(crew.state.way).change(crew, folder)


def status(crew: Crew) -> dict[str, Any]:
    """Return what is live, and what runs."""
    return asdict(crew.state) | {"running": sorted(crew.orders.running())}
