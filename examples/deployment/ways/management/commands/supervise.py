"""Run the service: the proxy in front, and the release that is live; a second process of a folder waits."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from releases import Release, State
from releases.journal import STEADY
from supervisor.ports import free_ports
from supervisor.supervisor import Supervisor

from ways import configured, front
from ways.variants import SOLUTION, VARIANTS


def begins(before: State | None) -> State:
    """Return the state to begin with: the release that was live, in a place that is free."""
    ports = free_ports(int(settings.PORT))  # the public one is not taken yet
    known = [each.name for each in VARIANTS]
    # A reader's own way may be gone.
    way = before.way if before and before.way in known else SOLUTION
    if before is None:
        return State(way, ports, Release(1, configured.FIRST, ports[0]), last=1)
    return replace(
        before,
        way=way,
        ports=ports,
        live=replace(before.live, port=ports[0]),
        other=None,
        step=STEADY,
    )


def settle() -> None:
    """End what a switch that was killed has begun."""
    crew = configured.crew()
    crew.switch.settle(crew.state)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        configured.FOLDER.mkdir(parents=True, exist_ok=True)
        Supervisor(configured.FOLDER, front.front, configured.command, settle, begins).serve()
