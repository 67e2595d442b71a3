"""What the experiments run where the supervisor runs, by `manage.py shell`, beside `manage.py release`.

Another way of operating, changes of the route between two releases, and a switch that is killed.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from django.conf import settings
from releases import Refused, Release
from releases.gate import get
from releases.journal import STEADY
from releases.proxy import FULL
from supervisor.ports import is_free
from supervisor.supervisor import DOWN, FRONT
from ways import configured
from ways.crew import Crew
from ways.management.commands.release import REFUSED, start, status
from ways.variants import HAPROXY, NGINX, Variant, of

ROUTED_SECONDS = 0.1
moments: list[tuple[str, float]] = []


def ordered(order: Callable[..., None], *words: str) -> None:
    """Carry out one of the orders below, and print what has come of it."""
    try:
        crew = configured.crew(lambda step: moments.append((step, time.monotonic())))
        with crew.journal.alone():
            order(crew, *words)
        sys.stdout.write(json.dumps(status(crew) | {"moments": moments}))
    except Refused as refusal:
        sys.stderr.write(f"refused: {refusal}.\n")
        sys.exit(REFUSED)


def begin(crew: Crew, way: str) -> None:
    """Operate the service in that way, with one release that is live: the first."""
    variant, state = of(way), crew.state
    if begins_alike(crew, of(state.way), variant):
        crew.note(way=way)
        return
    port = state.ports[0]
    new = Release(state.last + 1, configured.FIRST, port)
    crew.note(way=way, live=new, other=None, last=new.number, step=DOWN)
    for pid in crew.orders.running().values():
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    crew.until(lambda: is_free(port))  # of who was killed a process may last a moment longer
    # Before the proxy asks it: of one that is not there yet, HAProxy gives up after three seconds.
    crew.start(new)
    crew.note(step=STEADY)
    if variant.weights[1]:  # or the proxy would find out by its checks, seconds later
        crew.until(lambda: not is_free(int(settings.PORT)))
        for place, health in (("blue", "up"), ("green", "down")):
            crew.switch.proxy._ask(f"set server releases/{place} health {health}")
    crew.until(lambda: get(int(settings.PORT), "/healthz") == (200, str(new.number)))
    if way == "rolling_nginx":
        run_two(crew)


def run_two(crew: Crew) -> None:
    """Run a second replica, too."""
    state = crew.state
    second = state.next(state.live.folder)
    crew.note(other=second, last=second.number)
    crew.start(second)
    crew.point(*state.ports)


def begins_alike(crew: Crew, old: Variant, new: Variant) -> bool:
    """Whether the one release that runs, and what stands in front of it, are those to begin with."""
    live = crew.state.live
    alike = {(each.front, each.weights, *each.environment.items()) for each in (old, new)}
    alone = sorted(crew.orders.running()) == [FRONT, live.name]
    first = live.folder == configured.FIRST
    return len(alike) == 1 and new.front == HAPROXY and alone and first


def route(crew: Crew, times: str) -> None:
    """Start a second release, send requests to it and back, and stop it."""
    state = crew.state
    nginx = of(state.way).front == NGINX
    new = state.next(state.live.folder)
    crew.note(other=new, last=new.number)
    crew.start(new)
    ports = new.port, state.live.port
    for turn in range(int(times)):
        there, gone = ports[turn % 2], ports[1 - turn % 2]
        if nginx:
            crew.point(there)
        else:
            crew.switch.proxy.route({there: FULL, gone: 0})
        crew.journal.reached("routed")
        time.sleep(ROUTED_SECONDS)
    crew.stop(new)
    crew.note(other=None)


def drill(*steps: str, enough: int = 2) -> None:
    """Have a switch killed at each step, and each time wait until all has come to rest.

    Prints which release was live then, and which ones ran; it ends once that was wrong often enough.
    """
    crew, left, wrong = configured.crew(), [], 0
    for step in steps:
        if not (child := os.fork()):
            reached = partial(die_at, step)
            start(configured.crew(reached), configured.FIRST)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            if wrong:  # what an earlier kill has left is in the way
                break
            raise RuntimeError(f"the switch was not killed at {step!r}")
        crew.until(lambda: crew.state.step == STEADY)
        live = crew.state.live
        running = [name for name in crew.orders.running() if name.startswith("release-")]
        left.append({"step": step, "live": live.name, "running": running})
        wrong += running != [live.name]
        if wrong == enough:
            break
    sys.stdout.write(json.dumps(left))


def die_at(step: str, reached: str) -> None:
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)
