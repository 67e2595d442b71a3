"""One press of Run: what is seen of each variant, and how the pages show it."""

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nexus import charts, results
from nexus.experiment import Experiment, Samples, Verdict
from nexus.load import Exchanges
from nexus.mine import NAME

type State = Literal["queued", "running", "done", "cancelled", "failed"]
ENDED: tuple[State, ...] = ("done", "cancelled", "failed")
DRAWN_POINTS = 200


@dataclass
class Line:
    """One variant of a run: what is seen of it, and how it is judged.

    Attributes:
        samples: grows while it runs; judged whole, drawn thinned.
        origin: when the clock of its samples began, as well as they tell; None before the first.
    """

    variant: str
    expected: bool
    state: Literal["waiting", "running", "done"] = "waiting"
    samples: Samples = field(default_factory=Samples)
    verdict: Verdict | None = None
    exchanges: Exchanges = field(default_factory=Exchanges)
    origin: float | None = None
    drawn: list[tuple[float, float]] | None = None


@dataclass(frozen=True)
class Fault:
    """Something that was hurt, by a person at the lab (`own`) or by the experiment itself."""

    line: Line
    at: float
    label: str
    own: bool


@dataclass
class Run:
    """One press of Run: a claim, some of its variants one after the other, and their parameters."""

    number: int
    example: str
    experiment: type[Experiment]
    params: Mapping[str, float]
    lines: list[Line]
    state: State = "queued"
    error: str = ""
    faults: list[Fault] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def current(self) -> Line | None:
        return next((line for line in self.lines if line.state == "running"), None)


def described(run: Run) -> dict[str, Any]:
    """The run as the pages show it."""
    return {
        "id": run.number,
        "example": run.example,
        "claim": run.experiment.slug,
        "state": run.state,
        "cancelling": run.cancelled.is_set() and run.state not in ENDED,
        "params": dict(run.params),
        "lines": [described_line(run, line) for line in run.lines],
        "faults": [
            {
                "variant": each.line.variant,
                "seconds": round(max(0, each.at - each.line.origin), 2),
                "label": each.label,
                "own": each.own,
            }
            for each in run.faults
            # What an experiment restarts before its clock begins is no part of what it measures.
            if each.line.origin is not None and (each.own or each.at >= each.line.origin)
        ],
        "error": run.error,
    }


def described_line(run: Run, line: Line) -> dict[str, Any]:
    """One variant of the run as the pages show it; its points are kept once it is done."""
    chart = run.experiment.chart
    drawn = line.drawn
    if drawn is None:
        found = charts.thin(charts.points(chart, list(line.samples)), DRAWN_POINTS)
        drawn = [(round(seconds, 3), value) for seconds, value in found]
        if line.state == "done":
            line.drawn = drawn
    return {
        "variant": line.variant,
        "expected": line.expected,
        "state": line.state,
        "verdict": dataclasses.asdict(line.verdict) if line.verdict else None,
        "points": drawn,
        "samples": len(line.samples),
        "now": [
            f"{line.samples.last(series):g} {series.unit}"
            for series in run.experiment.live
            if line.state == "running" and line.samples.of(series)
        ],
        "exchanges": [
            dataclasses.asdict(each) for each in results.kept(line.exchanges.found.values())
        ],
    }


def _as_drawn(line: Mapping[str, Any]) -> bool:
    """Whether it is drawn as a solution: the reader's own variant is what it proves to be."""
    if line["variant"] == NAME and line["verdict"]:
        return bool(line["verdict"]["holds"])
    return bool(line["expected"])


def picture(run: Run, shown: Mapping[str, Any]) -> str:
    """The run's chart as SVG, from what `described` returned."""
    lines = [
        charts.Line(
            variant=line["variant"],
            holds=line["verdict"]["holds"] if line["verdict"] else None,
            expected=_as_drawn(line),
            points=line["points"],
            bound=line["verdict"] and line["verdict"]["bound"],
        )
        for line in shown["lines"]
        if line["points"]
    ]
    faults = [(each["seconds"], each["label"]) for each in shown["faults"]]
    return charts.svg(charts.spec(run.experiment.chart, lines, faults=faults))
