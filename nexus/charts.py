"""What an experiment saw as a picture: samples to points, points to a Vega-Lite spec, a spec to SVG.

Vega-Lite 6 (https://vega.github.io/vega-lite/) draws on the server and, from the same spec, in the
browser, which replaces the data sets `points`, `bounds` and `faults` while an experiment runs.
Colours are CSS variables, so that one drawing serves every theme.
"""

import bisect
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate, pairwise
from typing import Any, Literal

import vl_convert

from nexus.experiment import Chart, Sample

type Point = tuple[float, float]
"""(seconds, value)"""

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

# Units of the view box; the picture scales with the page, text included.
PLOT_WIDTH, PLOT_HEIGHT = 370, 240
PADDING = {"left": 64, "top": 50, "right": 206, "bottom": 40}
LABEL_SIZE, TICK_SIZE, LABEL_STEP = 17, 16, 22
LEVEL_STEP, LEVEL_ABOVE = 0.14, 32  # between variants in parts of a level; a level's name above it
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


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


@dataclass(frozen=True, slots=True)
class _Look:
    """How a variant is told from the others: without its colour, by dash and shape."""

    colour: str
    width: float
    dash: tuple[float, ...]
    shape: str


# The second of a kind is drawn first and wider: it shows where both are at the same place.
SOLUTIONS = (
    _Look("--chart-solution", 2.5, (1, 0), "circle"),
    _Look("--chart-solution-2", 4.5, (14, 3), "square"),
)
NAIVE = (
    _Look("--chart-naive", 2.5, (8, 4), "triangle-up"),
    _Look("--chart-naive-2", 4, (2, 3), "diamond"),
)


def points(chart: Chart, samples: Sequence[Sample]) -> list[Point]:
    """Return what `chart` draws of `samples`, in the order of time; samples must not be thinned.

    Of a window the result is its exact step function: a point where a sample enters it, and one
    where a sample leaves it.
    """
    # Answers come in batches from several clients: not in the order of their time.
    found = sorted(
        ((each.seconds, each.value) for each in samples if each.series == chart.series.name),
        key=lambda point: point[0],
    )
    if chart.window_seconds:
        return _window([seconds for seconds, _ in found], chart.window_seconds)
    if chart.running_total:
        totals = accumulate(value for _, value in found)
        return [(seconds, total) for (seconds, _), total in zip(found, totals, strict=True)]
    return found


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
    bounds = _bounds(chart, lines)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": describe(chart, lines),
        "width": PLOT_WIDTH,
        "height": PLOT_HEIGHT,
        "padding": PADDING,
        # Nothing is placed by the width of a text: the same picture on every machine's fonts.
        "autosize": {"type": "none"},
        "background": None,
        "datasets": {
            "points": [
                {
                    "variant": line.variant,
                    "seconds": round(seconds, 4),
                    "value": value + _aside(chart, number, len(lines)),
                }
                for number, line in enumerate(lines)
                for seconds, value in line.points
            ],
            "bounds": [{"value": value} for value in bounds],
            "faults": [{"seconds": seconds, "label": label} for seconds, label in faults],
        },
        "layer": [_bound(chart), *_marks(chart, looks), _fault(), *_labels(chart, looks)],
        "resolve": {"scale": {"color": "independent"}},
        "config": _config(),
    }


def describe(chart: Chart, lines: Sequence[Line]) -> str:
    """Say in words what the picture shows."""
    parts = []
    for line in lines:
        verdict = {None: "", True: " (holds)", False: " (refuted)"}[line.holds]
        parts.append(f"{line.variant} {_in_words(chart, line.points)}{verdict}")
    bounds = _bounds(chart, lines)
    ends = dict.fromkeys([*bounds[:1], *bounds[-1:]])
    bound = f"; bound {' to '.join(map(_number, ends))}" if bounds else ""
    return f"{chart.y}: {', '.join(parts)}{bound}"


def _in_words(chart: Chart, points: Sequence[Point]) -> str:
    if not chart.levels:
        shown = _shown(chart, points)
        return "no value yet" if shown is None else _number(shown)
    seen = {value for _, value in points}
    found = [name for number, name in enumerate(chart.levels, 1) if number in seen]
    return " and ".join(found) or "nothing yet"


def _aside(chart: Chart, number: int, lines: int) -> float:
    """How far the dots of one variant lie beside a level, so that those of another are seen, too."""
    return (lines - 1 - 2 * number) * LEVEL_STEP / 2 if chart.levels else 0


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


def _looks(lines: Sequence[Line]) -> dict[str, _Look]:
    """Give every variant its look; of each kind the last declared is the one to compare with."""
    looks: dict[str, _Look] = {}
    for expected, palette in ((False, NAIVE), (True, SOLUTIONS)):
        kind = [line.variant for line in lines if line.expected is expected]
        for number, variant in enumerate(reversed(kind)):
            looks[variant] = palette[number % len(palette)]
    return looks


def _bounds(chart: Chart, lines: Sequence[Line]) -> list[float]:
    if chart.levels:
        return []
    if chart.bound is not None:
        return [chart.bound]
    return sorted({line.bound for line in lines if line.bound is not None})


def _shown(chart: Chart, points: Sequence[Point]) -> float | None:
    """The value at the label: where a line ends, the greatest of dots and of a window."""
    if not points:
        return None
    if _by_greatest(chart):
        return max(value for _, value in points)
    return points[-1][1]


def _by_greatest(chart: Chart) -> bool:
    return not chart.levels and (chart.mark == "points" or chart.window_seconds > 0)


def _axes(chart: Chart) -> dict[str, Any]:
    decade = "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6"
    number = "format(datum.value, abs(datum.value) < 10000 ? ',.12~r' : '.3~s')"
    y_axis: dict[str, Any] = {
        "title": chart.y,
        "titleAngle": 0,
        "titleAlign": "left",
        "titleBaseline": "bottom",
        "titleX": -PADDING["left"] + 4,
        "titleY": -24,
        "tickCount": 8 if chart.logarithmic else 4,
        "labelExpr": f"{decade} ? {number} : ''" if chart.logarithmic else number,
    }
    if chart.logarithmic:
        y_axis["gridOpacity"] = {"condition": {"test": decade, "value": 1}, "value": 0}
    scale: dict[str, Any] = {"domain": {"unionWith": [0, 1]}, "nice": True}
    if chart.levels:
        y_axis |= {
            "values": list(range(1, len(chart.levels) + 1)),
            "labelExpr": f"{json.dumps(chart.levels)}[datum.value - 1]",
            # Above its line: a name may be wider than the margin.
            "labelAlign": "left",
            "labelPadding": -2,
            "labelOffset": -LEVEL_ABOVE,
        }
        scale = {"domain": [0.5, len(chart.levels) + 0.5], "nice": False}
    if chart.logarithmic:
        scale = {"type": "log", "nice": False, "padding": 32}
    return {
        "x": {
            "field": "seconds",
            "type": "quantitative",
            "scale": {"domain": {"unionWith": [0, 0.1]}, "nice": False},
            "axis": {
                "title": "seconds",
                "titleAlign": "left",
                "titleBaseline": "top",
                "titleX": PLOT_WIDTH + 16,
                "titleY": 10,
                "tickCount": 5,
                "labelExpr": number,
                "grid": False,
            },
        },
        "y": {
            "field": "value",
            "type": "quantitative",
            "scale": scale,
            "axis": y_axis,
        },
    }


def _drawable(chart: Chart) -> list[dict[str, Any]]:
    # A logarithmic axis has no zero.
    return [{"filter": "datum.value > 0"}] if chart.logarithmic else []


def _bound(chart: Chart) -> dict[str, Any]:
    return {
        "data": {"name": "bounds"},
        "transform": _drawable(chart),
        "mark": {
            "type": "rule",
            "x": 0,
            "x2": PLOT_WIDTH + 10,
            "strokeDash": [2, 4],
            "strokeWidth": 1.5,
            "color": "var(--chart-bound)",
        },
        "encoding": {"y": _axes(chart)["y"]},
    }


def _fault() -> dict[str, Any]:
    colour = "var(--chart-ink)"
    x = {"field": "seconds", "type": "quantitative"}
    label: dict[str, Any] = {
        "mark": {
            "type": "text",
            "align": "left",
            "dx": 5,
            "y": {"expr": "datum.number % 2 ? -2 : 15"},
            "baseline": "top",
            "fontSize": 14,
            "color": colour,
        },
        "encoding": {"x": x, "text": {"field": "label"}},
    }
    # Whatever is drawn below a label keeps away from its letters.
    halo = {**label, "mark": {**label["mark"], "stroke": "var(--panel, #ffffff)", "strokeWidth": 5}}
    return {
        "data": {"name": "faults"},
        # Two rows by turns: neighbours do not write over each other.
        "transform": [{"window": [{"op": "row_number", "as": "number"}]}],
        "layer": [
            {
                "mark": {"type": "rule", "color": colour, "opacity": 0.45, "strokeWidth": 1},
                "encoding": {"x": x},
            },
            halo,
            label,
        ],
    }


def _marks(chart: Chart, looks: Mapping[str, _Look]) -> list[dict[str, Any]]:
    colour = _by_variant(looks, [f"var({each.colour})" for each in looks.values()])
    common = {**_axes(chart), "color": colour}
    shape = _by_variant(looks, [each.shape for each in looks.values()])
    dots: dict[str, Any] = {
        "data": {"name": "points"},
        "transform": _drawable(chart),
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 0.75},
        "encoding": {**common, "shape": shape},
    }
    if chart.mark == "points":
        return [dots]
    lines = {
        "data": {"name": "points"},
        "transform": _drawable(chart),
        "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": {
            **common,
            "strokeDash": _by_variant(looks, [list(each.dash) for each in looks.values()]),
            "strokeWidth": _by_variant(looks, [each.width for each in looks.values()]),
        },
    }
    return [lines]


def _labels(chart: Chart, looks: Mapping[str, _Look]) -> list[dict[str, Any]]:
    """Name each line at its end and the bound, in a column where no name lies on another."""
    order = "value" if _by_greatest(chart) else "number"
    names = {**looks, "bound": _Look("--chart-bound", 0, (), "stroke")}
    colour = _by_variant(names, [f"var({each.colour})" for each in names.values()])
    last = f"{PLOT_HEIGHT - 4} - {LABEL_STEP} * (datum.count - datum.rank)"
    transform = [
        *_drawable(chart),
        {"window": [{"op": "row_number", "as": "number"}]},
        {
            "aggregate": [{"op": "argmax", "field": order, "as": "end"}],
            "groupby": ["variant"],
        },
        {"window": [{"op": "row_number", "as": "row"}]},
        # The bound joins the names as one more row of theirs.
        {
            "calculate": "datum.row == 1 && length(data('bounds'))"
            " ? [datum.end, {variant: 'bound', bounds: extent(pluck(data('bounds'), 'value'))}]"
            " : [datum.end]",
            "as": "end",
        },
        {"flatten": ["end"]},
        {"calculate": "datum.end.variant", "as": "variant"},
        {"calculate": "datum.end.seconds", "as": "from"},
        {"calculate": "datum.end.bounds || [datum.end.value, datum.end.value]", "as": "ends"},
        {"calculate": "datum.ends[0]", "as": "shown"},
        {"calculate": "scale('y', datum.shown)", "as": "at"},
        {"window": [{"op": "row_number", "as": "rank"}], "sort": [{"field": "at"}]},
        {"joinaggregate": [{"op": "count", "as": "count"}]},
        # Each name at least a step below the one before, and all of them above the lower edge.
        {"calculate": f"datum.at - {LABEL_STEP} * datum.rank", "as": "lead"},
        {
            "window": [{"op": "max", "field": "lead", "as": "lead"}],
            "sort": [{"field": "rank"}],
            "frame": [None, 0],
        },
        {"calculate": f"min(datum.lead + {LABEL_STEP} * datum.rank, {last})", "as": "row"},
        {
            # A bound that grows with the time of a run is another one for each variant.
            "calculate": f"datum.variant + ' ' + {_label('datum.ends[0]')}"
            f" + (datum.ends[1] > datum.ends[0] ? ' to ' + {_label('datum.ends[1]')} : '')"
            if not chart.levels
            else "datum.variant",
            "as": "name",
        },
    ]
    shape = _by_variant(looks, [each.shape for each in looks.values()])
    end = {"x": _pixels("scale('x', datum.from)"), "y": _pixels("datum.at")}
    edge = {"x": {"value": PLOT_WIDTH}, "y": _pixels("datum.at")}
    level = {"x2": {"value": PLOT_WIDTH}, "y2": _pixels("datum.at")}
    beside = {"x2": {"value": PLOT_WIDTH + 12}, "y2": _pixels("datum.row")}
    name = {"x": {"value": PLOT_WIDTH + 16}, "y": _pixels("datum.row")}
    leader = {"type": "rule", "strokeWidth": 1, "opacity": 0.6}
    only_lines = [{"filter": "datum.variant != 'bound'"}]
    layers: list[dict[str, Any]] = [
        {
            "transform": only_lines,
            "mark": {**leader, "strokeDash": [1, 3]},
            "encoding": {**end, **level, "color": colour},
        },
        {
            "transform": only_lines,
            "mark": leader,
            "encoding": {**edge, **beside, "color": colour},
        },
        {
            "transform": only_lines,
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {**end, "color": colour, "shape": shape},
        },
        {
            "mark": {"type": "text", "align": "left", "baseline": "middle", "fontWeight": 500},
            "encoding": {**name, "text": {"field": "name"}, "color": colour},
        },
    ]
    return [{"data": {"name": "points"}, "transform": transform, "layer": layers}]


def _label(number: str) -> str:
    return f"format({number}, {number} >= 100 ? ',.0f' : ',.3~r')"


def _pixels(expression: str) -> dict[str, Any]:
    return {"value": {"expr": expression}}


def _by_variant(looks: Mapping[str, _Look], values: Sequence[Any]) -> dict[str, Any]:
    return {
        "field": "variant",
        "type": "nominal",
        "scale": {"type": "ordinal", "domain": list(looks), "range": list(values)},
        "legend": None,
    }


def _config() -> dict[str, Any]:
    return {
        "font": FONT,
        "text": {"fontSize": LABEL_SIZE},
        "aria": False,
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "ticks": False,
            "grid": True,
            "gridColor": "var(--chart-grid)",
            "gridWidth": 1,
            "labelColor": "var(--chart-ink)",
            "labelFontSize": TICK_SIZE,
            "labelPadding": 8,
            "labelOverlap": False,
            "labelFlush": False,
            "titleColor": "var(--chart-ink)",
            "titleFontSize": LABEL_SIZE,
            "titleFontWeight": 400,
        },
    }


def _number(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
