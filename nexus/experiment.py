"""What an example's `experiments.py` is written in: claims as experiments with a judge.

This is the only module of the harness that an example may import.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from nexus.load import Answer, Request, ask, rest, volley

__all__ = [
    "Answer",
    "Chart",
    "Experiment",
    "ExperimentError",
    "Parameter",
    "Params",
    "Request",
    "Sample",
    "Stack",
    "UnexpectedAnswer",
    "Verdict",
    "ask",
    "last",
    "rest",
    "values",
    "volley",
]

type Params = Mapping[str, float]


class ExperimentError(RuntimeError):
    """An experiment could not be carried out; it proves nothing, either way."""


class UnexpectedAnswer(ExperimentError):
    """An answer that the claim does not speak of; it proves nothing, so it ends the experiment."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One observation; the experiment's `units` say what `value` counts in `series`.

    Attributes:
        seconds: since the experiment's start.
    """

    seconds: float
    series: str
    value: float


def values(samples: Sequence[Sample], series: str) -> list[float]:
    """Return all values of `series`, in the order of the samples."""
    return [each.value for each in samples if each.series == series]


def last(samples: Sequence[Sample], series: str) -> float:
    """Return the latest value of `series`, 0 if there is none yet."""
    return next((each.value for each in reversed(samples) if each.series == series), 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the claim holds, with the judged figure (`admitted 460 > 106`)."""

    holds: bool
    figure: str
    measured: float
    bound: float


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
        mark: `line` is a step line, `points` one dot a sample.
        bound: where the bound is drawn; None takes the verdict's.
        running_total: draw the sum of the values so far.
        window_seconds: draw how many samples lie within so many seconds before each moment; 0 is off.
        levels: names of the values 1, 2 and so on: what each sample was, instead of how much.
    """

    series: str
    y: str
    mark: Literal["line", "points"] = "line"
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
    def wait_ready(self, deadline_seconds: float = 30) -> None:
        """Return once every service and process answers.

        Raises:
            StackError: one of them does not within the deadline.
        """
        ...

    def manage(self, *args: str) -> str:
        """Run the example's manage.py inside the stack and return its output."""
        ...

    def logs(self, *names: str) -> str:
        """Return what `names`, or all services and processes, have written to their logs."""
        ...

    def stopped(self, name: str) -> AbstractContextManager[None]: ...
    def killed(self, name: str) -> AbstractContextManager[None]: ...
    def paused(self, name: str) -> AbstractContextManager[None]: ...


class Experiment(ABC):
    """One claim: how a variant is driven, and how the samples are judged.

    Attributes:
        slug: name of the claim in the write-up (`burst-is-bounded`).
        claim: the claim, one sentence.
        holds: variants for which the claim must hold.
        refuted: variants that the judged figure must refute; at least one.
        units: series -> unit of its samples.
        chart: what of the samples is drawn.
        live: series whose latest value a page shows beside the chart while it runs.
        needs: services of compose.yml that the claim is about; a stack without them cannot prove it.
    """

    slug: ClassVar[str]
    claim: ClassVar[str]
    holds: ClassVar[tuple[str, ...]]
    refuted: ClassVar[tuple[str, ...]]
    units: ClassVar[Mapping[str, str]]
    chart: ClassVar[Chart]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    live: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        """Drive `variant` on `stack`; yield samples while it happens."""

    @abstractmethod
    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        """Tell from the samples alone whether the claim holds.

        Of a run that is not over yet, the samples so far: then, whether they refute it already.

        Raises:
            ValueError: they are too few to tell anything.
        """

    @classmethod
    def variants(cls) -> tuple[str, ...]:
        """Every variant the claim speaks of, the naive ones first."""
        return cls.refuted + cls.holds

    @classmethod
    def expected(cls, variant: str) -> bool:
        """Whether the claim is declared to hold for `variant`."""
        return variant in cls.holds

    @classmethod
    def defaults(cls) -> Params:
        return {parameter.name: parameter.default for parameter in cls.parameters}
