"""Replace the release that is live, or look at what is."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
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
        orders.add_parser("settle", help="end what a switch that was killed has begun")
        orders.add_parser("status", help="say what is live, and what runs")

    def handle(self, *_args: Any, order: str, **options: Any) -> None:
        moments: list[tuple[str, float]] = []
        try:
            crew = configured.crew(reached=lambda step: moments.append((step, time.monotonic())))
            if order == "start":
                start(crew, options["folder"])
            elif order == "settle":
                with crew.journal.alone():
                    crew.switch.settle(crew.state)
            tell(crew, moments)
        except Refused as refusal:
            self.stderr.write(f"refused: {refusal}.")
            sys.exit(REFUSED)


def start(crew: Crew, folder: str) -> None:
    """Put the release in `folder` in the place of the live one, in the way that is in use."""
    with crew.journal.alone():
        configured.shipped(folder)
        of(crew.state.way).change(crew, folder)


def tell(crew: Crew, moments: Sequence[tuple[str, float]]) -> None:
    """Print what is live, what runs, and when each step was taken, as JSON."""
    running = sorted(crew.orders.running())
    sys.stdout.write(json.dumps(asdict(crew.state) | {"running": running, "moments": moments}))
