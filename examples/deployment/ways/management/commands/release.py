"""Replace the release that is live, or look at what is."""

import json
import os
import signal
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from releases import Refused, Release
from releases.gate import get
from releases.journal import DOWN, STEADY
from ways import configured
from ways.variants import NOTHING, of

REFUSED = 3  # exit code; any other fault of this command has another one
ROUTED_SECONDS = 0.5


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        orders = parser.add_subparsers(dest="order", required=True)
        start = orders.add_parser("start", help="put a release in the place of the live one")
        start.add_argument("folders", nargs="+", help="shipped/<folder>.env, one after the other")
        start.add_argument("--die-at", default="", help="be killed at this step")
        begin = orders.add_parser("begin", help="operate the service in another way")
        begin.add_argument("way")
        route = orders.add_parser("route", help="change between two releases")
        route.add_argument("times", type=int)
        orders.add_parser("settle", help="end what a switch that was killed has begun")
        status = orders.add_parser("status", help="say what is live, and what runs")
        status.add_argument("--settled", action="store_true", help="once no switch is under way")

    def handle(self, *_args: Any, order: str, **options: Any) -> None:
        self.moments: list[tuple[str, float]] = []
        self.die_at = options.get("die_at", "")
        try:
            self.crew = configured.crew(options.get("way", ""), self._reached)
            if order == "status":
                self.crew.until(lambda: not options["settled"] or self.crew.state.step == STEADY)
                self._tell()
                return
            with self.crew.journal.alone():
                getattr(self, f"_{order}")(**options)
            self._tell()
        except Refused as refusal:
            self.stderr.write(f"refused: {refusal}.")
            sys.exit(REFUSED)

    def _start(self, folders: list[str], **_: object) -> None:
        variant = of(self.crew.state.way)
        for folder in folders:
            configured.shipped(folder)
            variant.change(self.crew, folder)

    def _begin(self, way: str, **_: object) -> None:
        variant, state = of(way), self.crew.state
        port = int(settings.PORT) if variant.front == NOTHING else state.ports[0]
        new = Release(state.last + 1, configured.FIRST, port)
        self.crew.note(way=way, live=new, other=None, last=new.number, step=DOWN)
        self.crew.orders.give("reset")
        self.crew.note(step=STEADY)
        self.crew.until(lambda: get(int(settings.PORT), "/healthz") == (200, str(new.number)))
        variant.begin(self.crew)

    def _route(self, times: int, **_: object) -> None:
        variant, state = of(self.crew.state.way), self.crew.state
        if variant.route is None:
            raise Refused(f"{variant.name} has no route that it could change")
        new = state.next(state.live.folder)
        self.crew.note(other=new, last=new.number)
        self.crew.start(new)
        for turn in range(times):
            variant.route(self.crew, (new, state.live)[turn % 2].port)
            self._reached("routed")
            time.sleep(ROUTED_SECONDS)
        self.crew.stop(new)
        self.crew.note(other=None)

    def _settle(self, **_: object) -> None:
        self.crew.switch.settle(self.crew.state)

    def _reached(self, step: str) -> None:
        self.moments.append((step, time.monotonic()))
        if step == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _tell(self) -> None:
        told = asdict(self.crew.state) | {
            "running": sorted(self.crew.orders.running()),
            "moments": self.moments,
        }
        self.stdout.write(json.dumps(told))
