"""Experiments that people start from a page: one at a time, in the order of asking."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from nexus.drive import concluded, drive, judged
from nexus.experiment import Experiment, ExperimentError, Samples
from nexus.lab.events import EventLog
from nexus.lab.run import ENDED, Fault, Line, Run, described, described_line, picture
from nexus.lab.stacks import Refused, Stacks
from nexus.load import Answer, LoadError, Request, watching
from nexus.mine import NAME, is_declared
from nexus.stacks.base import StackError
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.offered import unprovable

# Hand of the stack -> what it has done, as the chart says it.
FAULTS = {
    "stop": "stopped",
    "start": "started",
    "kill": "killed",
    "pause": "paused",
    "resume": "resumed",
}
KEPT = 20  # ended runs that a page which comes later may still ask for
WAITING = 20  # runs that nobody has the patience for
PULSE_SECONDS = 0.2
# Of one core: what judging and drawing may take from a measurement on the same machine.
PULSE_SHARE = 0.1


class Cancelled(Exception):
    """Raised inside an experiment to end it at its next sample or answer."""


class Runs:
    """The queue of runs of this lab; says what happens in them to the event log."""

    def __init__(self, stacks: Stacks, log: EventLog) -> None:
        self.stacks = stacks
        self.log = log
        stacks.before_stop = self.cancel_all_of
        stacks.busy = self.busy
        self._numbers = itertools.count(1)
        self._queue: deque[Run] = deque()
        self._runs: dict[int, Run] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._active: Run | None = None
        # Faults and heals start processes, which live as long as the thread that started them.
        self._worker = threading.Thread(target=self._work, name="lab-runs", daemon=True)
        self._hand = threading.Thread(target=self._hurt_in_turn, name="lab-hands", daemon=True)
        self._faults = threading.Lock()
        self._asked: deque[tuple[Run, Line, str, str]] = deque()
        self._worker.start()
        self._hand.start()

    def add(
        self,
        example: str,
        experiment: type[Experiment],
        variants: Sequence[str],
        params: Mapping[str, float],
    ) -> Run:
        """Queue a run.

        Args:
            params: every parameter of the experiment, within its bounds.

        Raises:
            Refused: the example does not run here, its stack has not what the claim is about, or
                too many runs wait already.
        """
        self.stacks.running(example)
        if reason := unprovable(experiment, "embedded"):
            raise Refused(reason)
        lines = [Line(variant, is_declared(experiment, variant)) for variant in variants]
        with self._changed:
            if len(self._queue) >= WAITING:
                raise Refused(f"{WAITING} runs are waiting; let one of them end, or cancel it.")
            run = Run(next(self._numbers), example, experiment, params, lines)
            self._runs[run.number] = run
            self._forget_old()
            self._queue.append(run)
            self._changed.notify_all()
        self._say(run)
        return run

    def busy(self, example: str) -> bool:
        """Whether a run on `example` is under way or waits."""
        with self._changed:
            active = [self._active] if self._active else []
            return any(run.example == example for run in (*active, *self._queue))

    def cancel(self, number: int) -> None:
        """End a run at its next sample, or take it out of the queue.

        Raises:
            Refused: there is no such run, or it has ended.
        """
        with self._changed:
            run = self._find(number)
            if run.state in ENDED:
                raise Refused("This run has ended.")
            run.cancelled.set()
            if run in self._queue:
                self._queue.remove(run)
                run.state = "cancelled"
        self._say(run)

    def cancel_all_of(self, example: str) -> None:
        """End every run on an example and wait until none is left on it."""
        with self._changed:
            ending = [run for run in self._queue if run.example == example]
            self._queue = deque(run for run in self._queue if run.example != example)
            for run in ending:
                run.state = "cancelled"
            if self._active and self._active.example == example:
                ending.append(self._active)
            for run in ending:
                run.cancelled.set()
        for run in ending:
            self._say(run)
        with self._changed:
            self._changed.wait_for(lambda: self._active is None or self._active.example != example)

    def hurt(self, number: int, action: str, target: str) -> None:
        """Inflict a fault on the stack of a run that is under way; healed when its variant ends.

        Raises:
            Refused: it is not under way, or has no such target or fault.
        """
        if action not in FAULTS:
            raise Refused(f"There is no fault {action!r}; there is: {', '.join(FAULTS)}.")
        with self._changed:
            run = self._find(number)
            line = run.current
            if line is None:
                raise Refused("This run is not under way.")
            names = self.stacks.running(run.example).names()
            if target not in names:
                raise Refused(f"There is no {target!r}; there is: {', '.join(names)}.")
            self._asked.append((run, line, action, target))
            self._changed.notify_all()

    def describe(self) -> list[dict[str, Any]]:
        """Every run that is known, oldest first, as the pages show it."""
        with self._changed:
            return [described(run) for run in self._runs.values()]

    def drawn(self, number: int) -> str:
        """The run's chart as SVG.

        Raises:
            Refused: there is no such run.
        """
        with self._changed:
            run = self._find(number)
            shown = described(run)
        return picture(run, shown)

    def close(self) -> None:
        """Cancel what runs and wait for it."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            for run in self._runs.values():
                run.cancelled.set()
            self._changed.notify_all()
        self._worker.join()
        self._hand.join()

    def _find(self, number: int) -> Run:
        if number not in self._runs:
            raise Refused(f"There is no run {number}.")
        return self._runs[number]

    def _forget_old(self) -> None:
        ended = [number for number, run in self._runs.items() if run.state in ENDED]
        for number in ended[:-KEPT]:
            del self._runs[number]

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                run = self._active = self._queue.popleft()
                run.state = "running"
            self._say(run)
            try:
                self._carry_out(run)
            except Cancelled:
                run.state = "cancelled"
            except (ExperimentError, LoadError, Refused) as error:
                run.state, run.error = "failed", str(error)
            except StackError as error:
                run.state, run.error = "failed", error.in_a_line()
            except Exception as error:  # an experiment's own mistake must not end the lab
                run.state, run.error = "failed", f"{type(error).__name__}: {error}"
            else:
                run.state = "done"
            with self._changed:
                for line in run.lines:
                    if line.state != "done":
                        line.verdict = None  # of half a run; it proves nothing
                self._active = None
                self._changed.notify_all()
            self._say(run)

    def _carry_out(self, run: Run) -> None:
        for line in run.lines:
            if run.cancelled.is_set():
                raise Cancelled
            stack = self.stacks.running(run.example)
            with self._changed:
                line.state = "running"
            self._say(run)
            ended = threading.Event()
            pulse = threading.Thread(target=self._pulse, args=(run, line, ended), daemon=True)
            pulse.start()
            try:
                self._drive(run, line, stack)
            finally:
                ended.set()
                pulse.join()
                # A fault asked for at this moment is either healed here or comes too late.
                with self._faults:
                    line.state = "waiting"
                    stack.heal()
            line.verdict = concluded(run.experiment(), line.samples, run.params)
            line.state = "done"
            if line.variant == NAME:
                self.stacks.judged(run.example, run.experiment.slug, line.verdict.holds)
            self._say(run)

    def _drive(self, run: Run, line: Line, stack: EmbeddedStack) -> None:
        def check() -> None:
            if run.cancelled.is_set():
                raise Cancelled

        def observe(request: Request, answer: Answer) -> None:
            line.exchanges(request, answer)
            check()

        def wounded(action: str, target: str) -> None:
            if threading.current_thread() is not self._hand:
                self._note(run, line, f"{target} {FAULTS[action]}", own=False)

        stack.on_wound = wounded
        driven = drive(run.experiment(), stack, line.variant, run.params, line.samples)
        with watching(observe, check), closing(driven):  # type: ignore[type-var]  # a generator
            for sample in driven:
                origin = time.monotonic() - sample.seconds
                line.origin = min(origin, line.origin or origin)
                check()

    def _note(self, run: Run, line: Line, label: str, *, own: bool) -> None:
        run.faults.append(Fault(line, time.monotonic(), label, own))
        self._say(run)

    def _pulse(self, run: Run, line: Line, ended: threading.Event) -> None:
        """Show what a running variant has come to, as often as that is cheap."""
        seen, pause = 0, PULSE_SECONDS
        while not ended.wait(pause):
            if len(line.samples) == seen:
                continue
            seen = len(line.samples)
            began = time.thread_time()
            seen_so_far = Samples(line.samples[:seen], over=False)
            line.verdict = judged(run.experiment(), seen_so_far, run.params)
            self.log.append("points", {"run": run.number, **described_line(run, line)})
            pause = max(PULSE_SECONDS, (time.thread_time() - began) / PULSE_SHARE)

    def _hurt_in_turn(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._closed)
                if self._closed:
                    return
                run, line, action, target = self._asked.popleft()
            with self._faults:
                if line.state != "running":
                    continue
                label = f"{target} {FAULTS[action]}"
                try:
                    getattr(self.stacks.running(run.example), action)(target)
                except Exception as error:  # one that fails must not be the last
                    label = f"{target} not {FAULTS[action]}: {error}"
                self._note(run, line, label, own=True)

    def _say(self, run: Run) -> None:
        # Within the lock: what was seen first is said first, or a page would keep what is past.
        with self._changed:
            self.log.append("run", described(run))
