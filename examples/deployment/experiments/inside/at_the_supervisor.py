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
from ways.management.commands.release import REFUSED, status
from ways.variants import HAPROXY, NGINX, of

ROUTED_SECONDS = 0.1
moments: list[tuple[str, float]] = []


def ordered(order: Callable[..., None], *words: str) -> None:
    """Carry out one of the orders below, and print what has come of it."""
    try:
        crew = configured.crew(lambda step: moments.append((step, time.monotonic())))
        # Who has settled what was killed before may still have the lock for a moment.
        with crew.journal.alone(wait=True):
            order(crew, *words)
        sys.stdout.write(json.dumps(status(crew) | {"moments": moments}))
    except Refused as refusal:
        sys.stderr.write(f"refused: {refusal}.\n")
        sys.exit(REFUSED)


def begin(crew: Crew, way: str) -> None:
    """Operate the service in that way, with one release that is live: the one that was, if it may stay."""
    state, running = crew.state, crew.orders.running()
    old, new, live = of(state.way), of(way), state.live
    well = live.name in running and live.folder == configured.FIRST
    stays = well and old.environment == new.environment
    alike = new.front == HAPROXY and (old.front, old.weights) == (new.front, new.weights)
    if stays and alike and state.step == STEADY and FRONT in running:
        kill_all_but(crew, live, FRONT)
        crew.note(way=way)
        return
    if not stays:
        live = Release(state.last + 1, configured.FIRST, state.ports[0])
    crew.note(way=way, live=live, other=None, last=max(state.last, live.number), step=DOWN)
    kill_all_but(crew, live)
    if not stays:
        # Before the proxy asks it: of one that is not there yet, HAProxy gives up after three seconds.
        crew.start(live)
    crew.note(step=STEADY)
    if new.weights[1]:
        mark_places(crew)
    crew.until(lambda: get(int(settings.PORT), "/healthz") == (200, str(live.number)))
    if way == "rolling_nginx":
        run_two(crew)


def kill_all_but(crew: Crew, live: Release, *more: str) -> None:
    """Kill all but the live release and `more`, and wait until the ports of releases are free."""
    running = crew.orders.running()
    for name in running.keys() - {live.name, *more}:
        with suppress(ProcessLookupError):
            os.killpg(running[name], signal.SIGKILL)
    left = {*crew.state.ports} - ({live.port} if live.name in running else set())
    crew.until(lambda: all(map(is_free, left)))


def mark_places(crew: Crew) -> None:
    """Tell the proxy which place runs a release: it would find out by its checks, seconds later."""
    state, proxy = crew.state, crew.switch.proxy

    def begun() -> bool:
        with suppress(Refused):
            proxy.tried()
            return True
        return False

    crew.until(begun)
    for port, place in zip(state.ports, ("blue", "green"), strict=True):
        health = "up" if port == state.live.port else "down"
        proxy._ask(f"set server releases/{place} health {health}")


def run_two(crew: Crew) -> None:
    """Run a second replica, too."""
    state = crew.state
    second = state.next(state.live.folder)
    crew.note(other=second, last=second.number)
    crew.start(second)
    crew.point(*state.ports)


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
            dying = configured.crew(partial(die_at, step))
            # The journal says that all is settled a moment before the lock is free.
            with dying.journal.alone(wait=True):
                of(dying.state.way).change(dying, configured.FIRST)
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
