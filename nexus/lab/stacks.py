"""The stacks that this lab started: what state each is in, and how it got there."""

import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import psutil

from nexus.catalog import Example
from nexus.environment import state_dir
from nexus.lab.events import EventLog
from nexus.load import ask
from nexus.mine import Mine
from nexus.stacks.base import Progress, StackError, silent
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.processes import Child
from nexus.stacks.state import AlreadyRuns, compose_runs, owned, read_state

type State = Literal[
    "stopped", "starting", "running", "reloading", "stopping", "failed", "elsewhere"
]

# As many as in a proof, but of one web process: the second would cost 60 MB.
SERVER_PROCESSES = 4
WATCH_SECONDS = 0.3
GIVE_UP_SECONDS = 2.0
LINK_SECONDS = 3.0
OK = 200
NOT_RUNNING = {
    "stopped": "{} does not run here; start it first.",
    "reloading": "{} is loading your variant; try again in a moment.",
}
NOT_LOADED = "It is not loaded; everything else goes on. Save it again once it is mended."


class Refused(RuntimeError):
    """What was asked for cannot be done now; the message says why, in one sentence."""


@dataclass
class Place:
    """One example and the stack it has in this lab, if any.

    Attributes:
        steps: what its start has gone through so far.
        links: what it serves to people, label and address.
        error, log: why it failed, and the lines that explain it.
        mine: the reader's own variant, and `tell` what says something to its writer in the terminal.
        won: claim -> whether that variant has won it, since it was last loaded.
    """

    example: Example
    state: State = "stopped"
    steps: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""
    log: str = ""
    stack: EmbeddedStack | None = None
    starting: EmbeddedStack | None = None
    owned: ExitStack = field(default_factory=ExitStack)
    ending: threading.Event = field(default_factory=threading.Event)
    mine: Mine | None = None
    tell: Progress = silent
    won: dict[str, bool] = field(default_factory=dict)


class Stacks:
    """Starts, watches and stops stacks; says each change to the event log."""

    def __init__(self, examples: list[Example], log: EventLog) -> None:
        self.places = {example.name: Place(example) for example in examples}
        self.log = log
        self.before_stop: Callable[[str], None] = lambda _: None
        self.busy: Callable[[str], bool] = lambda _: False
        self._lock = threading.RLock()
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        # Daemons: a start that hangs must not keep the lab from ending.
        self._starter = threading.Thread(
            target=self._start_in_turn, name="lab-starter", daemon=True
        )
        self._starter.start()
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="lab-watcher", daemon=True)
        self._watcher.start()

    def describe(self, name: str) -> dict[str, Any]:
        """The state of an example as the pages show it."""
        with self._lock:
            place = self.places[name]
            state, url = place.state, place.stack.url if place.stack else ""
            if state == "stopped" and (elsewhere := _elsewhere(place.example)) is not None:
                state, url = "elsewhere", elsewhere
            return {
                "name": name,
                "state": state,
                "steps": list(place.steps),
                "url": url,
                "links": list(place.links) if state == "running" else [],
                "programs": list(place.stack.children()) if place.stack else [],
                "targets": place.stack.names() if place.stack and state == "running" else [],
                "error": place.error,
                "log": place.log,
                "mine": _own(place),
            }

    def running(self, name: str) -> EmbeddedStack:
        """The running stack of `name`.

        Raises:
            Refused: it does not run here.
        """
        with self._lock:
            place = self.places[name]
            if place.state != "running" or place.stack is None:
                raise Refused(NOT_RUNNING.get(place.state, NOT_RUNNING["stopped"]).format(name))
            return place.stack

    def adopt(self, name: str, mine: Mine, tell: Progress) -> None:
        """Let `name` start with the reader's own variant, and load that again whenever it is saved.

        Args:
            tell: what its writer is told in the terminal.
        """
        self.places[name].mine, self.places[name].tell = mine, tell

    def judged(self, name: str, claim: str, holds: bool) -> None:
        """Keep whether the reader's own variant has won a claim."""
        with self._lock:
            self.places[name].won[claim] = holds
        self._say(name)

    def start(self, name: str) -> None:
        """Start the stack of `name` in the background.

        Raises:
            Refused: it already runs, or is about to.
        """
        self._claim(name)

        self._tasks.put(lambda: self._start(name, lambda _: None))

    def start_now(self, name: str, progress: Progress) -> EmbeddedStack:
        """Start the stack of `name` and return it.

        Raises:
            StackError, InstallError: it does not start.
            AlreadyRuns: another process has it.
        """
        self._claim(name)
        return self._start(name, progress)

    def stop(self, name: str) -> None:
        """Stop the stack of `name` in the background; a run on it is cancelled first.

        Raises:
            Refused: it does not run here.
        """
        with self._lock:
            self.running(name)
            self._change(name, "stopping")
        self._tasks.put(lambda: self._stop(name, "stopped"))

    def close(self) -> None:
        """Stop every stack, and whatever is starting, however far it has come."""
        self._closed.set()
        for place in self.places.values():
            place.ending.set()
        self._tasks.put(None)
        self._starter.join(GIVE_UP_SECONDS)
        self._watcher.join()
        for place in self.places.values():
            if place.starting:
                place.starting.close()
        for name, place in self.places.items():
            if place.stack:
                self._stop(name, "stopped")

    def _start_in_turn(self) -> None:
        while (task := self._tasks.get()) and not self._closed.is_set():
            # What went wrong is kept in the place, where the page shows it.
            with suppress(Exception):
                task()

    def _claim(self, name: str) -> None:
        with self._lock:
            place = self.places[name]
            if place.state in ("starting", "running", "reloading", "stopping"):
                raise Refused(f"{name} is {place.state}.")
            place.steps, place.error, place.log = [], "", ""
            place.ending.clear()
            self._change(name, "starting")

    def _start(self, name: str, progress: Progress) -> EmbeddedStack:
        place = self.places[name]

        def step(text: str) -> None:
            if place.ending.is_set():
                raise StackError("The start was given up.")
            place.steps.append(text)
            self._say(name)
            progress(text)

        folder = state_dir(place.example)
        try:
            place.owned.enter_context(owned(folder))
            if compose_runs(place.example.name):
                url = read_state(folder).get("url", "")
                raise StackError(f"It runs in containers at {url}; `make down` stops it.")
            stack = place.starting = EmbeddedStack(
                place.example,
                folder,
                workers=SERVER_PROCESSES,
                preferred_ports=True,
                mine=place.mine,
                progress=step,
            )
            stack.start_all()
            links = _links(stack.url)
            step("ready")
        except BaseException as error:
            # A stack that was never begun is somebody else's: its stack.json is not ours to remove.
            if place.starting:
                place.starting.close()
            place.starting = None
            place.owned.close()
            if isinstance(error, AlreadyRuns):
                self._change(name, "stopped")
            else:
                self._fail(name, str(error), getattr(error, "log", ""))
            raise
        place.stack, place.starting, place.links = stack, None, links
        place.won.clear()
        self._change(name, "running")
        if stack.mine_fault:
            place.tell(f"{stack.mine_fault}\n{NOT_LOADED}")
        return stack

    def _load_mine(self, name: str) -> None:
        place = self.places[name]
        with self._lock:
            if place.state != "running" or not place.stack or not place.mine:
                return
            stack = place.stack
            self._change(name, "reloading")
        began = time.monotonic()
        try:
            stack.load_mine()
        except StackError as error:
            place.error, place.log = str(error), error.log
            self._stop(name, "failed")
            return
        if stack.mine_fault:
            place.tell(f"{stack.mine_fault}\n{NOT_LOADED}")
        else:
            place.won.clear()
            place.tell(f"{place.mine.shown} is loaded, after {time.monotonic() - began:.1f} s.")
        self._change(name, "running")

    def _stop(self, name: str, state: State) -> None:
        self.before_stop(name)
        place = self.places[name]
        with self._lock:
            stack, place.stack = place.stack, None
        if stack:
            stack.close()
        place.owned.close()
        if state == "failed":
            self._fail(name, place.error, place.log)
        else:
            place.steps = []
            self._change(name, state)

    def _watch(self) -> None:
        """Notice programs that end by themselves."""
        while not self._closed.wait(WATCH_SECONDS):
            for name, place in self.places.items():
                stack = place.stack  # looked at once: another thread takes it away
                dead = stack.dead() if stack and place.state == "running" else None
                if dead:
                    self._bury(name, dead)
                elif place.state == "running" and place.mine and place.mine.changed():
                    self._reload(name, place.mine)

    def _reload(self, name: str, mine: Mine) -> None:
        if not self.busy(name):  # else later: a run ends on what it began with
            mine.seen()
            self._tasks.put(lambda: self._load_mine(name))

    def _bury(self, name: str, dead: Child) -> None:
        with self._lock:
            place = self.places[name]
            if place.state != "running":
                return
            place.error = (
                f"{dead.name} ended with exit code {dead.exit_code}; everything else was stopped."
            )
            place.log = dead.tail()
            self._change(name, "stopping")
        self._stop(name, "failed")

    def _fail(self, name: str, error: str, log: str) -> None:
        place = self.places[name]
        place.error, place.log = error, log
        self._change(name, "failed")

    def _change(self, name: str, state: State) -> None:
        with self._lock:
            self.places[name].state = state
        self._say(name)

    def _say(self, name: str) -> None:
        # Within the lock: what was seen first is said first, or a page would keep what is past.
        with self._lock:
            self.log.append("example", self.describe(name))


def _elsewhere(example: Example) -> str | None:
    """Where another process of this machine runs the example; None if none does."""
    state = read_state(state_dir(example))
    owner = state.get("owner_pid")
    if not state or owner == os.getpid():
        return None
    alive = state.get("kind") == "compose" or psutil.pid_exists(int(owner or 0))
    return str(state.get("url", "")) if alive else None


def _own(place: Place) -> dict[str, Any] | None:
    """What the pages show of the reader's own variant."""
    if place.mine is None:
        return None
    return {
        "file": place.mine.shown,
        "fault": place.stack.mine_fault if place.stack else "",
        "won": [claim for claim, holds in place.won.items() if holds],
        "lost": [claim for claim, holds in place.won.items() if not holds],
    }


def _links(url: str) -> list[tuple[str, str]]:
    """What of the usual is there: not every example has a schema or metrics."""
    usual = [
        ("API", f"{url}/api/"),
        ("Swagger UI", f"{url}/api/docs/"),
        ("ReDoc", f"{url}/api/redoc/"),
        ("Metrics", f"{url}/metrics"),
    ]
    return [each for each in usual if ask(each[1], timeout_seconds=LINK_SECONDS).status == OK]
