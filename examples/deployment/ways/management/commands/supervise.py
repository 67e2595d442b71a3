"""Run the service: the proxy in front, and the release that is live. One process of each folder does, others wait."""

import sys
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from releases import Release, State
from releases.journal import STEADY
from supervisor.children import Command as Words
from supervisor.supervisor import Supervisor
from ways import configured
from ways.variants import NOTHING, VARIANTS, of


def begins(before: State | None, ports: tuple[int, int]) -> State:
    """Return the state to begin with: the release that was live, in a place that is free."""
    way = before.way if before else VARIANTS[-1].name
    port = int(settings.PORT) if of(way).front == NOTHING else ports[0]
    if before is None:
        return State(way, ports, Release(1, configured.FIRST, port), last=1)
    return replace(before, ports=ports, live=replace(before.live, port=port), other=None, step=STEADY)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        configured.FOLDER.mkdir(parents=True, exist_ok=True)
        settle = Words((sys.executable, "manage.py", "release", "settle"), {**configured.os.environ}, configured.BASE)
        Supervisor(
            configured.FOLDER, configured.front, configured.command, settle, begins
        ).serve()
