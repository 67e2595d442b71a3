"""Replace the release that is live, or look at what is."""

import json
import os
import signal
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from releases import Refused
from releases.journal import STEADY

from ways import configured
from ways.beginning import begin, route
from ways.variants import of

REFUSED = 3  # exit code; any other fault of this command has another one


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        orders = parser.add_subparsers(dest="order", required=True)
        start = orders.add_parser("start", help="put a release in the place of the live one")
        start.add_argument("folders", nargs="+", help="shipped/<folder>.env, one after the other")
        begin = orders.add_parser("begin", help="operate the service in another way")
        begin.add_argument("way")
        route = orders.add_parser("route", help="change between two releases")
        route.add_argument("times", type=int)
        orders.add_parser("settle", help="end what a switch that was killed has begun")
        orders.add_parser("status", help="say what is live, and what runs")
        drill = orders.add_parser("drill", help="have a switch killed, and see what is left of it")
        drill.add_argument("step", help="at which it is killed")

    def handle(self, *_args: Any, order: str, **options: Any) -> None:
        self.moments: list[tuple[str, float]] = []
        self.die_at = ""
        try:
            self.crew = configured.crew(options.get("way", ""), self._reached)
            if order == "drill":
                self._drill(options["step"])
            elif order != "status":
                with self.crew.journal.alone():
                    self._carry_out(order, options)
            self._tell()
        except Refused as refusal:
            self.stderr.write(f"refused: {refusal}.")
            sys.exit(REFUSED)

    def _carry_out(self, order: str, options: dict[str, Any]) -> None:
        match order:
            case "start":
                self._start(options["folders"])
            case "begin":
                begin(self.crew, options["way"])
            case "route":
                route(self.crew, options["times"])
            case "settle":
                self.crew.switch.settle(self.crew.state)

    def _drill(self, step: str) -> None:
        if not (child := os.fork()):
            self.die_at = step
            with self.crew.journal.alone():
                self._start([configured.FIRST])
            os._exit(1)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            raise RuntimeError(f"the switch was not killed at {step!r}")
        self.crew.until(lambda: self.crew.state.step == STEADY)

    def _start(self, folders: list[str]) -> None:
        variant = of(self.crew.state.way)
        for folder in folders:
            configured.shipped(folder)
            variant.change(self.crew, folder)

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
