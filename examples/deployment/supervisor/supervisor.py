"""The process that is started first and ends last: what the journal says is live runs, whatever dies."""

import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from releases import Journal, Refused, Release, State
from releases.journal import STEADY

from .children import END_WITH_PARENT, Children, Command
from .orders import Order, answer, listening
from .ports import is_free

DOWN = "down"  # a step: the live release is away on purpose
FRONT = "front"
LOOK_SECONDS = 0.05
PAUSE_SECONDS = 1.0  # before another try of what dies or fails at once


@dataclass
class Supervisor:
    """One thread: orders are carried out at once, and all that waits is somebody else's.

    Attributes:
        front: what stands before the releases.
        command: what a release runs.
        settle: ends what a switch that was killed has begun; who calls it holds the lock.
        begins: the state to begin with, from the one that was left.
    """

    folder: Path
    front: Callable[[State], Command]
    command: Callable[[State, Release], Command]
    settle: Callable[[], None]
    begins: Callable[[State | None], State]
    grace_seconds: float = 10
    over: bool = field(default=False, init=False)
    _started: dict[str, float] = field(default_factory=dict, init=False)

    def serve(self) -> None:
        """Run until SIGTERM; a second supervisor in the same folder waits until the first has ended."""
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self.children = Children(self.folder / "logs")
        self.journal = Journal(self.folder)
        # A switch of before finds its supervisor away, and gives up; only then is there another writer.
        with self.journal.alone("supervisor", wait=True), listening(self.folder) as door:
            with self.journal.alone(wait=True):
                left = self._left()
                try:
                    self.journal.write(self.begins(left))
                except Refused as fault:
                    if left is None:
                        raise
                    # Of a full disk: in its old place the release still serves.
                    sys.stderr.write(f"{fault}.\n")
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: setattr(self, "over", True))
            while not self.over:
                self._look()
                answer(door, self.carry_out, LOOK_SECONDS)
            # The proxy first: what it has under way, the releases still have to answer.
            self.children.end(FRONT, grace_seconds=self.grace_seconds)
            self.children.end(*self.children.running(), grace_seconds=self.grace_seconds)

    def carry_out(self, order: Order) -> Order:
        """Do what a switch asks for, and return at once."""
        try:
            match order:
                case {"do": "start", "release": release}:
                    new = Release(**release)
                    if new.name not in self.children.running():
                        if not is_free(new.port):
                            return {"fault": f"port {new.port} is taken by another program"}
                        self.children.start(new.name, self.command(self.journal.read(), new))
                case {"do": "stop", "name": name, "grace_seconds": seconds}:
                    self.children.stop(name, seconds)
                case {"do": "ended", "name": name}:
                    return {"why": self.children.ended(name)}
                case {"do": "running"}:
                    return {"processes": self.children.running()}
                case _:
                    return {"fault": "there is no such order"}
        except Exception as error:
            return {"fault": str(error)}
        return {"done": True}

    def _left(self) -> State | None:
        try:
            return self.journal.read()
        except Refused as fault:  # as good as lost: better the first release than none
            sys.stderr.write(f"{fault}.\n")
        return None

    def _look(self) -> None:
        self.children.look()
        with suppress(Refused):  # of a damaged journal: what runs goes on
            self._make_true(self.journal.read())

    def _make_true(self, state: State) -> None:
        self._keep(FRONT, lambda: self.front(state))
        if state.step != DOWN:
            # What was gated, whatever has become of its file.
            known = self.children.commands.get(state.live.name)
            self._keep(state.live.name, lambda: known or self.command(state, state.live))
        if state.step != STEADY:
            self._settle_if_killed()

    def _keep(self, name: str, command: Callable[[], Command]) -> None:
        now = time.monotonic()
        if name in self.children.running() or now < self._started.get(name, 0) + PAUSE_SECONDS:
            return
        self._started[name] = now
        try:
            self.children.start(name, command())
        except (OSError, Refused) as fault:
            sys.stderr.write(f"{name} does not start: {fault}.\n")

    def _settle_if_killed(self) -> None:
        """Settle what a switch has begun that nobody is at any more."""
        with suppress(Refused), self.journal.alone():
            # Again: it may have come to its end since.
            if self.journal.read().step != STEADY:
                # A copy of this process: it has the lock, and all that a new one would have to load first.
                get_context("fork").Process(target=self._settle, daemon=True).start()

    def _settle(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if END_WITH_PARENT:
            END_WITH_PARENT()
        try:
            self.settle()
        except Refused as fault:
            sys.stderr.write(f"a switch that was killed is not settled: {fault}.\n")
            time.sleep(PAUSE_SECONDS)
