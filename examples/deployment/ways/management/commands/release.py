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
from supervisor.supervisor import FRONT
from ways.variants import HAPROXY, NOTHING, Variant, of

REFUSED = 3  # exit code; any other fault of this command has another one
ROUTED_SECONDS = 0.3


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
                self._drill(**options)
            elif order != "status":
                with self.crew.journal.alone():
                    getattr(self, f"_{order}")(**options)
            self._tell()
        except Refused as refusal:
            self.stderr.write(f"refused: {refusal}.")
            sys.exit(REFUSED)

    def _drill(self, step: str, **_: object) -> None:
        if not (child := os.fork()):
            self.die_at = step
            with self.crew.journal.alone():
                self._start([configured.FIRST])
            os._exit(1)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            raise RuntimeError(f"the switch went on beyond {step!r}")
        self.crew.until(lambda: self.crew.state.step == STEADY)

    def _start(self, folders: list[str], **_: object) -> None:
        variant = of(self.crew.state.way)
        for folder in folders:
            configured.shipped(folder)
            variant.change(self.crew, folder)

    def _begin(self, way: str, **_: object) -> None:
        variant, state = of(way), self.crew.state
        if self._begins_alike(of(state.way), variant):
            self.crew.note(way=way)
            return
        port = int(settings.PORT) if variant.front == NOTHING else state.ports[0]
        new = Release(state.last + 1, configured.FIRST, port)
        self.crew.note(way=way, live=new, other=None, last=new.number, step=DOWN)
        self.crew.orders.give("reset")
        self.crew.note(step=STEADY)
        self.crew.until(lambda: get(int(settings.PORT), "/healthz") == (200, str(new.number)))
        variant.begin(self.crew)

    def _begins_alike(self, old: Variant, new: Variant) -> bool:
        """Whether the one release that runs, and what stands in front of it, are those to begin with."""
        state = self.crew.state
        alike = {(each.front, each.weights, *each.environment.items()) for each in (old, new)}
        alone = sorted(self.crew.orders.running()) == [FRONT, state.live.name]
        return len(alike) == 1 and new.front == HAPROXY and alone and state.live.folder == configured.FIRST

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
