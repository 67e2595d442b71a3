"""What an example's `experiments/` is written in: claims as experiments with a judge.

This is the only module of the harness that an example may import.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from nexus.load import Answer, Request, ask, rest, volley
from nexus.samples import Sample, Samples, Series, Undecided, clock_starts
from nexus.verdict import Verdict

__all__ = [
    "Answer",
    "Chart",
    "Experiment",
    "ExperimentError",
    "Parameter",
    "Params",
    "Request",
    "Sample",
    "Samples",
    "Series",
    "Stack",
    "Undecided",
    "UnexpectedAnswer",
    "Verdict",
    "ask",
    "clock_starts",
    "expect",
    "percentile",
    "rest",
    "until",
    "volley",
]

type Params = Mapping[str, float]


class ExperimentError(RuntimeError):
    """An experiment could not be carried out; it proves nothing, either way."""


class UnexpectedAnswer(ExperimentError):
    """An answer that the claim does not speak of; it proves nothing, so it ends the experiment."""


def expect(answer: Answer, *statuses: int) -> Answer:
    """Return `answer` if its status is one of `statuses`.

    Raises:
        UnexpectedAnswer: it is another; the message shows the beginning of the body.
    """
    if answer.status not in statuses:
        said = answer.error or answer.body[:300].decode(errors="replace")
        raise UnexpectedAnswer(f"status {answer.status}: {' '.join(said.split())}")
    return answer


def until(condition: Callable[[], object], seconds: float, step_seconds: float = 0.05) -> bool:
    """Wait until `condition` is true; False if it is not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        rest(step_seconds)
    return True


def percentile(numbers: Sequence[float], share: float) -> float:
    """Return the least of `numbers` that is not exceeded by `share` of them (nearest rank).

    Raises:
        Undecided: there are too few: no number lies above the rank.
    """
    rank = math.ceil(share * len(numbers))
    if rank >= len(numbers):
        raise Undecided(f"{len(numbers)} values are too few for the {share:.0%} percentile")
    return sorted(numbers)[rank - 1]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number an experiment can be run with, bounded so that a page may offer it."""

    name: str
    default: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True, slots=True)
class Chart:
    """How the samples of a run are drawn: one mark per variant on common axes.

    Attributes:
        series: the one that is drawn.
        y: title of the axis with its unit (`requests admitted`).
        x: title of the other axis. Samples with an `x` of their own are drawn there, others at their
            second.
        mark: `line` is a step line, `points` one dot a sample, `bars` the sum of each second.
        bound: where the bound is drawn; None takes the verdict's.
        running_total: draw the sum of the values so far.
        window_seconds: draw how many samples lie within so many seconds before each moment; 0 is off.
        levels: names of the values 1, 2 and so on: what each sample was, instead of how much.
    """

    series: Series
    y: str
    x: str = "seconds"
    mark: Literal["line", "points", "bars"] = "line"
    bound: float | None = None
    running_total: bool = False
    window_seconds: float = 0
    logarithmic: bool = False
    levels: tuple[str, ...] = ()


class Stack(Protocol):
    """A running example with its services, and the hands to hurt it.

    Names are those of the services in compose.yml (`redis`) and of the processes in the Procfile (`web`).
    Whatever is stopped, killed, paused or scaled is put back by `heal`, which runs after every experiment.
    """

    @property
    def kind(self) -> Literal["embedded", "compose"]: ...
    @property
    def url(self) -> str:
        """Address of the example, without a trailing slash."""
        ...

    @property
    def services(self) -> Mapping[str, str]:
        """Service name -> address reachable from this process (`redis://127.0.0.1:6379/0`)."""
        ...

    @property
    def staff_token(self) -> str:
        """Bearer token for what the example shows to its operators only."""
        ...

    def stop(self, name: str) -> None:
        """End it in good order (SIGTERM)."""
        ...

    def start(self, name: str) -> None: ...
    def kill(self, name: str) -> None:
        """End it at once (SIGKILL)."""
        ...

    def pause(self, name: str) -> None:
        """Freeze it: connections stay open, nothing is answered."""
        ...

    def resume(self, name: str) -> None: ...
    def restart(self, name: str) -> None: ...
    def scale(self, process: str, count: int) -> None: ...
    def heal(self) -> None: ...
    def wait_ready(self, deadline_seconds: float = 60) -> None:
        """Return once every service and process answers.

        Raises:
            StackError: one of them does not within the deadline.
        """
        ...

    def manage(self, *args: str, of: str = "web") -> str:
        """Run the example's manage.py inside the stack, where the process `of` runs; return its output.

        Raises:
            StackError: it fails, or does not end within 100 s and is ended.
        """
        ...

    def logs(self, *names: str) -> str:
        """Return what `names`, or all services and processes, have written to their logs."""
        ...

    def stopped(self, name: str) -> AbstractContextManager[None]: ...
    def killed(self, name: str) -> AbstractContextManager[None]: ...
    def paused(self, name: str) -> AbstractContextManager[None]: ...


class Experiment(ABC):
    """One claim: how a variant is driven, and how the samples are judged.

    Series are class attributes: `admitted = Series("requests")`.

    Attributes:
        slug: name of the claim in the write-up (`burst-is-bounded`).
        claim: the claim, one sentence.
        holds: variants for which the claim must hold.
        refuted: variants that the judged figure must refute; at least one.
        chart: what of the samples is drawn.
        live: series whose latest value a page shows beside the chart while it runs.
        reports: public bug reports that it tries: (`owner/repo#1`, the fault, what happens here).
        needs: services of compose.yml that the claim is about; a stack without them cannot prove it.
    """

    slug: ClassVar[str]
    claim: ClassVar[str]
    holds: ClassVar[tuple[str, ...]]
    refuted: ClassVar[tuple[str, ...]]
    chart: ClassVar[Chart]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    live: ClassVar[tuple[Series, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    reports: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    @abstractmethod
    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        """Drive `variant` on `stack`; yield samples while it happens: `yield self.admitted(5)`.

        Time counts from the call, or from the last `yield clock_starts()`. A run that is refuted for
        good is closed before its end: what it has changed is put back in `finally`.
        """

    @abstractmethod
    def judge(self, samples: Samples, params: Params) -> Verdict:
        """Tell from the samples alone whether the claim holds; of a run that goes on, whether it does so far.

        Raises:
            Undecided: they are too few to tell.
        """

    @classmethod
    def series(cls) -> Mapping[str, Series]:
        """Name -> series of all that are declared."""
        attributes = {
            name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()
        }
        return {each.name: each for each in attributes.values() if isinstance(each, Series)}

    @classmethod
    def variants(cls) -> tuple[str, ...]:
        """Every variant the claim speaks of, the naive ones first."""
        return cls.refuted + cls.holds

    @classmethod
    def solution(cls) -> str:
        """The variant that the example exists for: the last of those for which the claim holds."""
        return cls.holds[-1]

    @classmethod
    def expected(cls, variant: str) -> bool:
        """Whether the claim is declared to hold for `variant`."""
        return variant in cls.holds

    @classmethod
    def defaults(cls) -> Params:
        return {parameter.name: parameter.default for parameter in cls.parameters}
