"""Recorded verdicts and points, `results/<example>.json`: where write-ups take figures from."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from nexus import charts
from nexus.charts import Line
from nexus.experiment import Chart
from nexus.load import Exchange
from nexus.machine import Machine
from nexus.vega import Point

type Cell = str | int | float

MAX_BYTES = 100_000
# A chart a few hundred pixels wide shows no more points than this.
MAX_POINTS_PER_RUN = 120
MIN_POINTS_PER_RUN = 30
MAX_EXCHANGES_PER_RUN = 3

MAX_BODY, MAX_HEADER, MAX_SECRET = 300, 200, 8  # characters
# Of every answer alike: they say nothing of the claim.
NOISE = frozenset(
    {
        "allow",
        "alt-svc",
        "connection",
        "content-length",
        "cross-origin-opener-policy",
        "date",
        "keep-alive",
        "referrer-policy",
        "server",
        "transfer-encoding",
        "vary",
        "x-content-type-options",
        "x-frame-options",
    }
)
SECRET = frozenset({"authorization", "cookie", "set-cookie", "x-api-key"})


@dataclass(frozen=True, slots=True)
class Run:
    """One claim against one variant: what was declared, what came out, and what was seen.

    Attributes:
        expected: whether the claim is declared to hold for the variant.
        holds: the verdict.
        figure: the judged figure in words (`admitted 460 > 106`).
        axis: what the chart's x axis was when it was recorded.
        points: what the claim's chart draws.
        exchanges: one request and its answer for each status that was seen.
    """

    claim: str
    variant: str
    expected: bool
    holds: bool
    figure: str
    measured: float
    bound: float
    axis: str = "seconds"
    points: tuple[Point, ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    def line(self, chart: Chart) -> Line:
        """Return this run as one line of its claim's chart: without points, if those have another axis."""
        points = self.points if self.axis == chart.x else ()
        return Line(self.variant, self.holds, self.expected, points, self.bound)


@dataclass(frozen=True, slots=True)
class Recording:
    """The runs of one `make prove RECORD=1`: one stack, one machine, one set of versions."""

    stack: str
    recorded_at: date
    machine: Machine
    versions: Mapping[str, str]
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """What a benchmark shall reach, in words with the figure of one run, and whether that run did."""

    met: bool
    text: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A table of the solution beside its peers, measured in one run, and the goals of that run."""

    recorded_at: date
    machine: Machine
    versions: Mapping[str, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    goals: tuple[Goal, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row of the table has not one cell for each column")

    @property
    def missed(self) -> int:
        """How many goals this run did not meet."""
        return sum(not goal.met for goal in self.goals)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What commands of the example's manage.py printed on the embedded stack of one recorded run."""

    recorded_at: date
    machine: Machine
    versions: Mapping[str, str]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """All that is recorded of an example.

    Attributes:
        claims: slug -> sentence of every declared claim, in the order of the write-up.
        recordings: oldest first; a (claim, variant, stack) is in one of them only.
    """

    example: str
    claims: Mapping[str, str] = field(default_factory=dict)
    recordings: tuple[Recording, ...] = ()
    bench: Bench | None = None
    bench_compose: Bench | None = None  # of a benchmark that was recorded on the other stack, too
    outputs: Outputs | None = None

    def stacks(self, claim: str | None = None) -> tuple[str, ...]:
        """Return the recorded stacks, or those on which `claim` is recorded, `embedded` first."""
        found = {
            each.stack
            for each in self.recordings
            if claim is None or any(run.claim == claim for run in each.runs)
        }
        return tuple(sorted(found, key=_stack_order))

    def stack(self, claim: str) -> str:
        """Return the stack from which `claim` is shown: embedded unless it is recorded elsewhere alone."""
        return next(iter(self.stacks(claim)), "embedded")

    def runs(self, stack: str, claim: str | None = None) -> tuple[Run, ...]:
        """Return the runs on `stack` by declared claim, the variants to be refuted first."""
        found = [
            run
            for recording in self.recordings
            if recording.stack == stack
            for run in recording.runs
            if claim is None or run.claim == claim
        ]
        order = {slug: index for index, slug in enumerate(self.claims)}
        found.sort(key=lambda run: (order.get(run.claim, len(order)), run.expected))
        return tuple(found)


def place(root: Path, example: str) -> Path:
    """Return where the repository at `root` keeps the record of `example`."""
    return root / "results" / f"{example}.json"


def recorded(root: Path, example: str) -> Record:
    """Return what the repository at `root` has recorded of `example`: an empty record if nothing.

    Raises:
        ValueError: the file is not a record.
    """
    return _at(place(root, example), example)


def load(path: Path) -> Record:
    """Read a record.

    Raises:
        FileNotFoundError: nothing is recorded there.
        ValueError: the file is not a record; the message names the file and the field.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except ValueError as error:
        raise ValueError(
            f"{path.name} is not a record of results: {error}. Record it again with RECORD=1."
        ) from error


def save(path: Path, record: Record) -> None:
    """Write `record` as at most 100 kB: points give way first, then exchanges.

    Raises:
        ValueError: a number is not finite, or it does not fit even with thirty points a run and
            no exchange.
    """
    points, exchanges = MAX_POINTS_PER_RUN, MAX_EXCHANGES_PER_RUN
    while len(text := _dump(_thinned(record, points, exchanges)).encode()) > MAX_BYTES:
        if points > MIN_POINTS_PER_RUN:
            points = max(MIN_POINTS_PER_RUN, points * 3 // 4)
        elif exchanges:
            exchanges -= 1
        else:
            raise ValueError(f"{path.name} would take {len(text)} bytes, more than {MAX_BYTES}")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Replaced in one step: a reader never sees half a file.
    draft = path.with_suffix(".json.new")
    draft.write_bytes(text)
    draft.replace(path)


def merge(record: Record, claims: Mapping[str, str], recording: Recording) -> Record:
    """Return `record` with the runs of `recording` in place of those of its claims on its stack.

    Runs of other claims and stacks stay under the machine, versions and date they were measured
    with; runs of a claim that is no longer in `claims` go.
    """
    fresh = {run.claim for run in recording.runs}
    kept = []
    for old in record.recordings:
        runs = tuple(
            run
            for run in old.runs
            if run.claim in claims and (old.stack != recording.stack or run.claim not in fresh)
        )
        if not runs:
            continue
        if replace(old, runs=()) == replace(recording, runs=()):
            recording = replace(recording, runs=runs + recording.runs)
        else:
            kept.append(replace(old, runs=runs))
    return replace(record, claims=claims, recordings=(*kept, recording))


def add(path: Path, example: str, claims: Mapping[str, str], recording: Recording) -> Record:
    """Merge `recording` into the record at `path`, creating it if there is none."""
    record = merge(_at(path, example), claims, recording)
    save(path, record)
    return record


def add_bench(path: Path, example: str, bench: Bench, stack: str = "embedded") -> Record:
    """Replace the table of peers in the record at `path`, creating it if there is none."""
    old = _at(path, example)
    record = replace(old, bench_compose=bench) if stack == "compose" else replace(old, bench=bench)
    save(path, record)
    return record


def add_outputs(path: Path, example: str, outputs: Outputs) -> Record:
    """Replace what commands printed in the record at `path`, creating it if there is none."""
    record = replace(_at(path, example), outputs=outputs)
    save(path, record)
    return record


def kept(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the first exchange of each status as it is recorded: short, without noise or secrets."""
    first: dict[int, Exchange] = {}
    for each in exchanges:
        first.setdefault(each.status, each)
    return tuple(
        replace(
            each,
            request_headers=_told(each.request_headers),
            headers=_told(each.headers),
            body=_cut(each.body, MAX_BODY),
            seconds=round(each.seconds, 4),
        )
        for each in first.values()
    )


def _told(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: _cut(value, MAX_SECRET if name.lower() in SECRET else MAX_HEADER)
        for name, value in headers.items()
        if name.lower() not in NOISE
    }


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _at(path: Path, example: str) -> Record:
    return load(path) if path.exists() else Record(example)


def _thinned(record: Record, points: int, exchanges: int) -> Record:
    def thinned(run: Run) -> Run:
        found = tuple((round(x, 3), value) for x, value in charts.thin(run.points, points))
        return replace(run, points=found, exchanges=run.exchanges[:exchanges])

    return replace(
        record,
        recordings=tuple(
            replace(each, runs=tuple(map(thinned, each.runs))) for each in record.recordings
        ),
    )


def _dump(record: Record) -> str:
    return _lines(_rounded(msgspec.to_builtins(record)), "") + "\n"


def _rounded(value: Any) -> Any:
    match value:
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value} cannot be recorded: figures must be finite")
            return int(value) if value == int(value) else round(value, 6)
        case dict():
            return {name: _rounded(each) for name, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
    return value


def _lines(value: Any, indent: str) -> str:
    """Dump with one field a line, and whatever fits in a line on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    # Points are for machines; one line a run keeps the rest of the file readable.
    if len(flat) + len(indent) <= 100 or not isinstance(value, dict | list):
        return flat
    if isinstance(value, list) and _are_points(value):
        return json.dumps(value, separators=(",", ":"))
    deeper = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_lines(each, deeper)}" for key, each in value.items()]
    else:
        parts = [_lines(each, deeper) for each in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n" + ",\n".join(deeper + part for part in parts) + f"\n{indent}{last}"


def _are_points(rows: list[Any]) -> bool:
    return all(isinstance(row, list) and isinstance(row[0], int | float) for row in rows)


def _stack_order(stack: str) -> tuple[bool, str]:
    return stack != "embedded", stack
