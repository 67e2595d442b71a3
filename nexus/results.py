"""Recorded verdicts and samples, `results/<example>.json`: where write-ups take figures from."""

import json
import math
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from nexus import charts
from nexus.charts import Line, Point
from nexus.experiment import Chart, Sample
from nexus.load import Exchange

type Cell = str | int | float

MAX_BYTES = 100_000
# A chart a few hundred pixels wide shows no more points than this.
MAX_SAMPLES_PER_RUN = 400
# First, last, least and greatest of one series.
MIN_SAMPLES_PER_SERIES = 4
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
LATER = ("points", "exchanges")
SECRET = frozenset({"authorization", "cookie", "set-cookie", "x-api-key"})


@dataclass(frozen=True, slots=True)
class Machine:
    """Where figures were measured. Names no host."""

    cpu: str
    cores: int
    memory_gib: float
    system: str

    def __str__(self) -> str:
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.cpu} ({cores}, {self.memory_gib:g} GiB, {self.system})"


@dataclass(frozen=True, slots=True)
class Run:
    """One claim against one variant: what was declared, what came out, and what was seen.

    Attributes:
        expected: whether the claim is declared to hold for the variant.
        holds: the verdict.
        figure: the judged figure in words (`admitted 460 > 106`).
        points: what the claim's chart draws, from all samples; `samples` are thinned.
        exchanges: one request and its answer for each status that was seen.
    """

    claim: str
    variant: str
    expected: bool
    holds: bool
    figure: str
    measured: float
    bound: float
    params: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    points: tuple[Point, ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    def line(self, chart: Chart) -> Line:
        """Return this run as one line of `chart`.

        A run recorded before points were has those of its thinned samples, if the chart shows
        their values; thinned samples cannot be counted.
        """
        points: Sequence[Point] = self.points
        if not points and not chart.window_seconds and not chart.running_total:
            points = charts.thin(charts.points(chart, self.samples), MAX_POINTS_PER_RUN)
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
class Bench:
    """A table of the solution beside its peers, measured in one run."""

    recorded_at: date
    machine: Machine
    versions: Mapping[str, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


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

    def find(self, claim: str, variant: str, stack: str) -> Run | None:
        """Return the run of `variant` for `claim` on `stack`, or None if it was never recorded."""
        return next((run for run in self.runs(stack, claim) if run.variant == variant), None)


def machine() -> Machine:
    """Describe this machine, with the limits of the container it may be in."""
    system = f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}"
    return Machine(_cpu(), _cores(), _memory_gib(), system)


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
        return _record(_object(json.loads(path.read_text(encoding="utf-8")), "the file"))
    except ValueError as error:
        raise ValueError(
            f"{path.name} is not a record of results: {error}. Record it again with RECORD=1."
        ) from error


def save(path: Path, record: Record) -> None:
    """Write `record` as at most 100 kB: samples give way first, then points, then exchanges.

    Raises:
        ValueError: a number is not finite, or it does not fit even with four samples a series,
            thirty points a run and no exchange.
    """
    samples, points, exchanges = MAX_SAMPLES_PER_RUN, MAX_POINTS_PER_RUN, MAX_EXCHANGES_PER_RUN
    while len(text := _dump(_thinned(record, samples, points, exchanges)).encode()) > MAX_BYTES:
        if samples:
            samples = samples * 3 // 4
        elif points > MIN_POINTS_PER_RUN:
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
    """Return `record` with the runs of `recording` in place of those it repeats.

    Runs of other claims and stacks stay under the machine, versions and date they were measured
    with; runs of a claim that is no longer in `claims` go.
    """
    fresh = {(run.claim, run.variant) for run in recording.runs}
    kept = []
    for old in record.recordings:
        runs = tuple(
            run
            for run in old.runs
            if run.claim in claims
            and (old.stack != recording.stack or (run.claim, run.variant) not in fresh)
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


def add_bench(path: Path, example: str, bench: Bench) -> Record:
    """Replace the table of peers in the record at `path`, creating it if there is none."""
    record = replace(_at(path, example), bench=bench)
    save(path, record)
    return record


def add_outputs(path: Path, example: str, outputs: Outputs) -> Record:
    """Replace what commands printed in the record at `path`, creating it if there is none."""
    record = replace(_at(path, example), outputs=outputs)
    save(path, record)
    return record


def thin(samples: Sequence[Sample], limit: int) -> tuple[Sample, ...]:
    """Keep about `limit` samples, evenly per series, with first, last, least and greatest of each.

    A series keeps at least four samples, so that its shape survives any limit.
    """
    if len(samples) <= limit:
        return tuple(samples)
    series: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        series.setdefault(sample.series, []).append(index)
    keep: set[int] = set()
    # Shortest first: what a short series does not use, the longer ones share.
    for rank, indexes in enumerate(sorted(series.values(), key=len)):
        share = max(MIN_SAMPLES_PER_SERIES, (limit - len(keep)) // (len(series) - rank))
        keep.update(_spread(samples, indexes, share))
    return tuple(samples[index] for index in sorted(keep))


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


def _spread(samples: Sequence[Sample], indexes: list[int], limit: int) -> set[int]:
    if len(indexes) <= limit:
        return set(indexes)
    lowest = min(indexes, key=lambda index: samples[index].value)
    highest = max(indexes, key=lambda index: samples[index].value)
    keep = {indexes[0], indexes[-1], lowest, highest}
    steps = limit - len(keep) + 1
    keep.update(indexes[step * (len(indexes) - 1) // steps] for step in range(1, steps))
    return keep


def _at(path: Path, example: str) -> Record:
    return load(path) if path.exists() else Record(example)


def _thinned(record: Record, samples: int, points: int, exchanges: int) -> Record:
    def thinned(run: Run) -> Run:
        return replace(
            run,
            samples=thin(run.samples, samples),
            points=tuple(charts.thin(run.points, points)),
            exchanges=run.exchanges[:exchanges],
        )

    return replace(
        record,
        recordings=tuple(
            replace(each, runs=tuple(map(thinned, each.runs))) for each in record.recordings
        ),
    )


def _record(data: Mapping[str, Any]) -> Record:
    bench, outputs = data.get("bench"), data.get("outputs")
    return Record(
        example=_get(data, "example", str),
        claims=_strings(data, "claims"),
        recordings=tuple(_recording(each) for each in _objects(data, "recordings")),
        bench=None if bench is None else _bench(_object(bench, "'bench'")),
        outputs=None if outputs is None else _outputs(_object(outputs, "'outputs'")),
    )


def _recording(data: Mapping[str, Any]) -> Recording:
    return Recording(
        stack=_get(data, "stack", str),
        recorded_at=_date(data),
        machine=_machine(data),
        versions=_strings(data, "versions"),
        runs=tuple(_run(each) for each in _objects(data, "runs")),
    )


def _run(data: Mapping[str, Any]) -> Run:
    return Run(
        claim=_get(data, "claim", str),
        variant=_get(data, "variant", str),
        expected=_holds(data, "expected"),
        holds=_holds(data, "verdict"),
        figure=_get(data, "figure", str),
        measured=_number(data, "measured"),
        bound=_number(data, "bound"),
        params={
            name: _number(_get(data, "params", dict), name) for name in _get(data, "params", dict)
        },
        units=_strings(data, "units"),
        samples=tuple(_sample(each) for each in _get(data, "samples", list)),
        # Files written before points and exchanges were recorded have neither.
        points=tuple(_point(each) for each in _get({"points": [], **data}, "points", list)),
        exchanges=tuple(
            _exchange(each) for each in _objects({"exchanges": [], **data}, "exchanges")
        ),
    )


def _point(value: object) -> Point:
    match value:
        case [int() | float() as seconds, int() | float() as number]:
            return seconds, number
    raise ValueError(f"a point is [seconds, value], not {value!r}")


def _exchange(data: Mapping[str, Any]) -> Exchange:
    return Exchange(
        method=_get(data, "method", str),
        path=_get(data, "path", str),
        request_headers=_strings(data, "request_headers"),
        status=_get(data, "status", int),
        headers=_strings(data, "headers"),
        body=_get(data, "body", str),
        seconds=_number(data, "seconds"),
    )


def _bench(data: Mapping[str, Any]) -> Bench:
    columns = tuple(str(each) for each in _get(data, "columns", list))
    rows = tuple(tuple(row) for row in _get(data, "rows", list))
    if any(len(row) != len(columns) for row in rows):
        raise ValueError("a row of 'bench' has not one cell for each column")
    return Bench(_date(data), _machine(data), _strings(data, "versions"), columns, rows)


def _outputs(data: Mapping[str, Any]) -> Outputs:
    return Outputs(_date(data), _machine(data), _strings(data, "versions"), _strings(data, "texts"))


def _machine(data: Mapping[str, Any]) -> Machine:
    found = _object(_get(data, "machine", dict), "'machine'")
    return Machine(
        _get(found, "cpu", str),
        _get(found, "cores", int),
        _number(found, "memory_gib"),
        _get(found, "system", str),
    )


def _sample(value: object) -> Sample:
    match value:
        case [int() | float() as seconds, str(series), int() | float() as number]:
            return Sample(seconds, series, number)
    raise ValueError(f"a sample is [seconds, series, value], not {value!r}")


def _get[T](data: Mapping[str, Any], name: str, kind: type[T]) -> T:
    if name not in data:
        raise ValueError(f"{name!r} is missing")
    value = data[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name!r} is {value!r}, not of type {kind.__name__}")
    return value


def _number(data: Mapping[str, Any], name: str) -> float:
    if isinstance(data.get(name), int):
        return _get(data, name, int)
    return _get(data, name, float)


def _holds(data: Mapping[str, Any], name: str) -> bool:
    value = _get(data, name, str)
    if value not in ("holds", "refuted"):
        raise ValueError(f"{name!r} is {value!r}, neither 'holds' nor 'refuted'")
    return value == "holds"


def _date(data: Mapping[str, Any]) -> date:
    return date.fromisoformat(_get(data, "recorded_at", str))


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is not a JSON object")
    return value


def _objects(data: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    for each in _get(data, name, list):
        yield _object(each, f"an entry of {name!r}")


def _strings(data: Mapping[str, Any], name: str) -> dict[str, str]:
    found = _get(data, name, dict)
    return {key: _get(found, key, str) for key in found}


def _dump(record: Record) -> str:
    data: dict[str, Any] = {
        "example": record.example,
        "claims": dict(record.claims),
        "recordings": [
            {**_head(each), "stack": each.stack, "runs": [_run_data(run) for run in each.runs]}
            for each in record.recordings
        ],
    }
    if record.bench is not None:
        bench = record.bench
        data["bench"] = {**_head(bench), "columns": bench.columns, "rows": bench.rows}
    if record.outputs is not None:
        data["outputs"] = {**_head(record.outputs), "texts": dict(record.outputs.texts)}
    return _lines(data, "") + "\n"


def _head(source: Recording | Bench | Outputs) -> dict[str, Any]:
    at = source.machine
    return {
        "recorded_at": source.recorded_at.isoformat(),
        "machine": {
            "cpu": at.cpu,
            "cores": at.cores,
            "memory_gib": at.memory_gib,
            "system": at.system,
        },
        "versions": dict(sorted(source.versions.items())),
    }


def _run_data(run: Run) -> dict[str, Any]:
    data = {
        "claim": run.claim,
        "variant": run.variant,
        "expected": _word(run.expected),
        "verdict": _word(run.holds),
        "figure": run.figure,
        "measured": _round(run.measured),
        "bound": _round(run.bound),
        "params": {name: _round(run.params[name]) for name in sorted(run.params)},
        "units": dict(sorted(run.units.items())),
        "samples": [
            (_round(each.seconds, 3), each.series, _round(each.value)) for each in run.samples
        ],
        "points": [(_round(seconds, 3), _round(value)) for seconds, value in run.points],
        "exchanges": [
            {
                "method": each.method,
                "path": each.path,
                "request_headers": dict(each.request_headers),
                "status": each.status,
                "headers": dict(each.headers),
                "body": each.body,
                "seconds": _round(each.seconds, 4),
            }
            for each in run.exchanges
        ],
    }
    # Nothing says as much as an empty list, and an older file keeps its bytes.
    return {name: value for name, value in data.items() if value or name not in LATER}


def _lines(value: object, indent: str) -> str:
    """Dump with one field a line, and whatever fits in a line on one line."""
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(flat) + len(indent) <= 100 or not value:
        return flat
    # Samples and points are for machines; one line a run keeps the rest of the file readable.
    if isinstance(value, list) and _flat(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    deeper = indent + " "
    if isinstance(value, dict):
        parts = [
            f"{deeper}{json.dumps(key)}: {_lines(each, deeper)}" for key, each in value.items()
        ]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    if isinstance(value, list | tuple):
        return "[\n" + ",\n".join(deeper + _lines(each, deeper) for each in value) + f"\n{indent}]"
    return flat


def _flat(rows: list[Any]) -> bool:
    return all(isinstance(row, tuple) for row in rows)


def _word(holds: bool) -> str:
    return "holds" if holds else "refuted"


def _round(number: float, digits: int = 6) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{number} cannot be recorded: figures must be finite")
    return int(number) if number == int(number) else round(number, digits)


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    # Those this process may use: fewer than the machine's in most containers.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gib() -> float:
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limits.append(int((Path("/sys/fs/cgroup") / name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such limit, or "max"
            continue
    return round(min(limits) / 2**30, 1)


def _stack_order(stack: str) -> tuple[bool, str]:
    return stack != "embedded", stack
