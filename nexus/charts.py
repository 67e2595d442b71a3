"""What an experiment saw as a picture: samples to points, points to a Vega-Lite spec, a spec to SVG.

Vega-Lite 6 (https://vega.github.io/vega-lite/) draws on this side alone: into the files that write-ups
show, and into the lab's pages, which fetch a new drawing while an experiment runs.
Colours are CSS variables, so that one drawing serves every theme.
"""

import bisect
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate, pairwise
from typing import Any, Literal

import vl_convert

from nexus import vega
from nexus.experiment import Chart, Sample, Series
from nexus.vega import Drawn, Look, Point

VEGA_LITE = "6.4"
MOST_POINTS = 150
LEAST_POINTS = 4  # first, last, least and greatest

type Theme = Literal["light", "dark"]

THEMES: Mapping[Theme, Mapping[str, str]] = {
    "light": {
        "--chart-naive": "#b3401f",
        "--chart-naive-2": "#7a5c00",
        "--chart-solution": "#0b6b63",
        "--chart-solution-2": "#4b5563",
        "--chart-bound": "#22252b",
        "--chart-ink": "#22252b",
        "--chart-grid": "#e4e1d8",
    },
    "dark": {
        "--chart-naive": "#ff9b7a",
        "--chart-naive-2": "#e2c04d",
        "--chart-solution": "#5fd3c4",
        "--chart-solution-2": "#a8b0bd",
        "--chart-bound": "#e8e6e1",
        "--chart-ink": "#e8e6e1",
        "--chart-grid": "#2d3138",
    },
}

# The second of a kind is drawn first and wider: it shows where both are at the same place.
SOLUTIONS = (
    Look("--chart-solution", 2.5, (1, 0), "circle", 0.85),
    Look("--chart-solution-2", 4.5, (14, 3), "square", 0.5),
)
NAIVE = (
    Look("--chart-naive", 2.5, (8, 4), "triangle-up", 0.25),
    Look("--chart-naive-2", 4, (2, 3), "diamond", 0),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One variant in a chart.

    Attributes:
        holds: the verdict; None while there is none.
        expected: whether the claim is declared to hold for the variant.
        bound: the verdict's; drawn unless the chart states its own.
    """

    variant: str
    holds: bool | None
    expected: bool
    points: Sequence[Point]
    bound: float | None = None


def points(chart: Chart, samples: Sequence[Sample]) -> list[Point]:
    """Return what `chart` draws of `samples`, in the order of its x axis.

    A window becomes its exact step function: a point where a sample enters it, and one where a sample
    leaves it. Bars become the sum of each second, or of each `x` that samples have.
    """
    seen = [each for each in samples if each.series == chart.series.name]
    if chart.mark == "bars":
        return _sums(seen)
    # Answers come in batches from several clients: not in the order of their time.
    found = sorted(
        ((each.seconds if each.x is None else each.x, each.value) for each in seen),
        key=lambda point: point[0],
    )
    if chart.window_seconds:
        return _window([seconds for seconds, _ in found], chart.window_seconds)
    if chart.running_total:
        totals = accumulate(value for _, value in found)
        return [(x, total) for (x, _), total in zip(found, totals, strict=True)]
    return found


def _sums(samples: Sequence[Sample]) -> list[Point]:
    sums: defaultdict[float, float] = defaultdict(float)
    for each in samples:
        sums[math.floor(each.seconds) if each.x is None else each.x] += each.value
    return sorted(sums.items())


def _window(entering: list[float], width: float) -> list[Point]:
    if not entering:
        return []
    leaving = [moment + width for moment in entering]
    steps = sorted({*entering, *(moment for moment in leaving if moment <= entering[-1])})
    # The window is open at its far end: what lies exactly `width` back has left it.
    inside = (
        bisect.bisect_right(entering, now) - bisect.bisect_right(leaving, now) for now in steps
    )
    return [(now, float(count)) for now, count in zip(steps, inside, strict=True)]


def thin(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """Keep at most `most` points (at least four), the extremes of the whole and of each stretch."""
    if len(points) <= most:
        return list(points)

    def extremes(begin: int, end: int) -> set[int]:
        indexes = range(begin, end)
        return {
            min(indexes, key=lambda index: points[index][1]),
            max(indexes, key=lambda index: points[index][1]),
        }

    keep = {0, len(points) - 1} | extremes(0, len(points))
    stretches = max(0, most - LEAST_POINTS) // 2
    edges = [len(points) * number // max(1, stretches) for number in range(stretches + 1)]
    for begin, end in pairwise(edges):
        keep |= extremes(begin, end)
    return [points[index] for index in sorted(keep)]


def spec(
    chart: Chart, lines: Sequence[Line], *, faults: Sequence[tuple[float, str]] = ()
) -> dict[str, Any]:
    """Return the Vega-Lite spec of `lines` on common axes.

    Args:
        faults: when what was hurt (`(2.6, "redis stopped")`).
    """
    looks = _looks(lines)
    drawn = [
        Drawn(
            line.variant, looks[line.variant], _beside(chart, line, lines), end, _name(chart, line)
        )
        for line in lines
        if (end := _end(chart, line.points))
    ]
    bounds = _bounds(chart, lines)
    made = vega.spec(chart, drawn, bounds, _span("bound", bounds), faults)
    return {**made, "description": describe(chart, lines)}


def growth(
    columns: Sequence[str], rows: Sequence[Sequence[str | float]], asked: Sequence[str]
) -> dict[str, Any]:
    """Return the spec of three columns of a benchmark: a line for each name; the last is the solution.

    Args:
        asked: the numbers of the columns from 1, as a page writes them: names, x and y.

    Raises:
        ValueError: there is no such column, or another thing than a number in one of the last two.
    """
    numbers = [str(number) for number in range(1, len(columns) + 1)]
    who, x, y = map(numbers.index, asked)
    named: defaultdict[str, list[Point]] = defaultdict(list)
    for row in rows:
        named[str(row[who])].append((float(row[x]), float(row[y])))
    solution = [*named][-1]
    lines = [Line(name, None, name == solution, found) for name, found in named.items()]
    return spec(Chart(Series(columns[y]), columns[y], x=columns[x]), lines)


def describe(chart: Chart, lines: Sequence[Line]) -> str:
    """Say in words what the picture shows."""
    parts = []
    for line in lines:
        verdict = {None: "", True: " (holds)", False: " (refuted)"}[line.holds]
        parts.append(f"{line.variant} {_in_words(chart, line.points)}{verdict}")
    bounds = _bounds(chart, lines)
    bound = f"; {_span('bound', bounds)}" if bounds else ""
    axis = "" if chart.x == vega.TIME else f", by {chart.x}"
    return f"{chart.y}{axis}: {', '.join(parts)}{bound}"


def shown(chart: Chart, points: Sequence[Point]) -> float | None:
    """The value that the picture names: where a line ends, the greatest of dots, bars and of a window."""
    end = _end(chart, points)
    return end and end[1]


def _end(chart: Chart, points: Sequence[Point]) -> Point | None:
    found = [each for each in points if _can_be_drawn(chart, each[1])]
    by_greatest = not chart.levels and (chart.mark != "line" or chart.window_seconds > 0)
    if by_greatest:
        return max(found, key=lambda point: point[1], default=None)
    return found[-1] if found else None


def _can_be_drawn(chart: Chart, value: float) -> bool:
    # A logarithmic axis has no zero.
    return value > 0 or not chart.logarithmic


def _name(chart: Chart, line: Line) -> str:
    value = shown(chart, line.points)
    return line.variant if chart.levels or value is None else f"{line.variant} {_number(value)}"


def _span(what: str, values: Sequence[float]) -> str:
    """Name the values: a bound that grows with the time of a run is another one for each variant."""
    ends = dict.fromkeys([*values[:1], *values[-1:]])
    return f"{what} {' to '.join(map(_number, ends))}" if ends else ""


def _in_words(chart: Chart, points: Sequence[Point]) -> str:
    if not chart.levels:
        value = shown(chart, points)
        return "no value yet" if value is None else _number(value)
    seen = {value for _, value in points}
    found = [name for number, name in enumerate(chart.levels, 1) if number in seen]
    return " and ".join(found) or "nothing yet"


def _beside(chart: Chart, line: Line, lines: Sequence[Line]) -> list[Point]:
    """Return the points to draw: dots on a level lie beside those of the other variants."""
    rank = len(lines) - 1 - 2 * [each.variant for each in lines].index(line.variant)
    aside = rank * vega.LEVEL_STEP / 2 if chart.levels else 0
    return [(x, value + aside) for x, value in line.points if _can_be_drawn(chart, value)]


def svg(spec: Mapping[str, Any]) -> str:
    """Draw `spec` as an `<svg>` to be put into a page: it fills its column and takes its colours."""
    drawn = vl_convert.vegalite_to_svg(dict(spec), vl_version=VEGA_LITE)
    title = escape(str(spec["description"]), quote=False)
    head, body = drawn.split(">", 1)
    head = re.sub(r' class="[^"]*"', "", head)
    # One picture with one name: the roles Vega gives to each of its marks would ask for a name each.
    body = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", body)
    return f'{head} role="img" class="chart"><title>{title}</title>{body}'


def picture(spec: Mapping[str, Any], theme: Theme) -> str:
    """Draw `spec` as a file of its own, with the colours of `theme`."""
    drawn = re.sub(r"var\((--[\w-]+)\)", lambda match: THEMES[theme][match[1]], svg(spec))
    return drawn.replace("><", ">\n<") + "\n"


def _looks(lines: Sequence[Line]) -> dict[str, Look]:
    """Give every variant its look; of each kind the last declared is the one to compare with."""
    looks: dict[str, Look] = {}
    for expected, palette in ((False, NAIVE), (True, SOLUTIONS)):
        kind = [line.variant for line in lines if line.expected is expected]
        for number, variant in enumerate(reversed(kind)):
            looks[variant] = palette[number % len(palette)]
    return looks


def _bounds(chart: Chart, lines: Sequence[Line]) -> list[float]:
    if chart.levels:
        return []
    found = {line.bound for line in lines if line.bound is not None}
    if chart.bound is not None:
        found = {chart.bound}
    return sorted(bound for bound in found if _can_be_drawn(chart, bound))


def _number(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
