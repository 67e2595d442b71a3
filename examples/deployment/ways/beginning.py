"""What the experiments ask for: another way of operating, and changes of the route between two releases."""

import time

from django.conf import settings
from releases import Refused, Release
from releases.gate import get
from releases.journal import DOWN, STEADY
from supervisor.supervisor import FRONT

from . import configured
from .crew import Crew
from .variants import HAPROXY, NOTHING, Variant, of

ROUTED_SECONDS = 0.3


def begin(crew: Crew, way: str) -> None:
    """Operate the service in that way, with one release that is live: the first."""
    variant, state = of(way), crew.state
    if _begins_alike(crew, of(state.way), variant):
        crew.note(way=way)
        return
    port = int(settings.PORT) if variant.front == NOTHING else state.ports[0]
    new = Release(state.last + 1, configured.FIRST, port)
    crew.note(way=way, live=new, other=None, last=new.number, step=DOWN)
    crew.orders.give("reset")
    crew.note(step=STEADY)
    crew.until(lambda: get(int(settings.PORT), "/healthz") == (200, str(new.number)))
    variant.begin(crew)


def _begins_alike(crew: Crew, old: Variant, new: Variant) -> bool:
    """Whether the one release that runs, and what stands in front of it, are those to begin with."""
    live = crew.state.live
    alike = {(each.front, each.weights, *each.environment.items()) for each in (old, new)}
    alone = sorted(crew.orders.running()) == [FRONT, live.name]
    first = live.folder == configured.FIRST
    return len(alike) == 1 and new.front == HAPROXY and alone and first


def route(crew: Crew, times: int) -> None:
    """Start a second release, send requests to it and back, and stop it.

    Raises:
        Refused: this way has no route.
    """
    variant, state = of(crew.state.way), crew.state
    if variant.route is None:
        raise Refused(f"{variant.name} has no route that it could change")
    new = state.next(state.live.folder)
    crew.note(other=new, last=new.number)
    crew.start(new)
    for turn in range(times):
        variant.route(crew, (new, state.live)[turn % 2].port)
        crew.step("routed")
        time.sleep(ROUTED_SECONDS)
    crew.stop(new)
    crew.note(other=None)
