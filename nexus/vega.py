"""The Vega-Lite spec of a chart: every mark with its place, from numbers that are known.

The names of the lines stand in a key below the plot: so the picture is narrow, and its text can be
read on a phone. Nothing is placed by the width of a text: the same picture on every machine's fonts.
"""

import json
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nexus.experiment import Chart

type Point = tuple[float, float]
"""(place on the x axis, value)"""
type Spec = dict[str, Any]

TIME = "seconds"
# Units of the view box; the picture scales with the page, text included.
PLOT_WIDTH, PLOT_HEIGHT = 400, 230
LEFT, TOP, RIGHT, AXIS, BOTTOM = 60, 48, 24, 56, 8
TEXT, TICKS, ROW = 18, 17, 26
TITLE, LINE = 48, 22  # characters of a line, and its height
KEY_WIDTH = 36
LEVEL_STEP, LEVEL_ABOVE = 0.14, 32  # between variants in parts of a level; a level's name above it
BARS = 0.84  # of their place, shared by the variants
MOST_TICKS = 6
TICK_WIDTH = 56  # of the longest numbers, such as `9,999` and `337k`, with some room
MOST_DOTS = 12  # on a line: past that they run into each other, and only its named value has one
WIDE_RANGE = 50  # from the least to the greatest x: past that the axis is logarithmic
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
NUMBER = "format(datum.value, abs(datum.value) < 10000 ? ',.12~r' : '.3~s')"
DECADE = "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6"


@dataclass(frozen=True, slots=True)
class Look:
    """How a variant is told from the others: without its colour, by dash and shape, or by how full it is."""

    colour: str
    width: float
    dash: tuple[float, ...]
    shape: str
    fill: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """One variant as it is drawn: its points, the one that its name tells the value of, its name."""

    variant: str
    look: Look
    points: Sequence[Point]
    end: Point
    name: str


def spec(
    chart: Chart,
    drawn: Sequence[Drawn],
    bounds: Sequence[float],
    bound_name: str,
    faults: Sequence[tuple[float, str]],
) -> Spec:
    """Return the spec of a chart with its bounds, and of `faults` when what was hurt."""
    axes = {"x": _x(chart, drawn), "y": _y(chart)}
    above = TOP + LINE * (len(_title(chart)) - 1)
    # From the top of the plot to its bottom, as lines end.
    rows = sorted(drawn, key=lambda each: -each.end[1])
    layers = [_bound(value, axes) for value in bounds]
    layers += [_line(chart, drawn, number, axes) for number in range(len(drawn))]
    if chart.x == TIME:
        layers += [_fault(number, *fault, axes) for number, fault in enumerate(faults)]
    layers += [_key(chart, each, number) for number, each in enumerate(rows)]
    if bound_name:
        layers.append(_bound_key(bound_name, len(rows)))
    below = AXIS + ROW * (len(rows) + bool(bound_name)) + BOTTOM
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": PLOT_WIDTH,
        "height": PLOT_HEIGHT,
        "padding": {"left": LEFT, "top": above, "right": RIGHT, "bottom": below},
        "autosize": {"type": "none"},
        "background": None,
        "layer": layers or [_nothing(axes)],
        "config": _config(),
    }


def _x(chart: Chart, drawn: Sequence[Drawn]) -> Spec:
    places = _places(drawn)
    axis: Spec = {
        "title": chart.x,
        "titleAnchor": "end",
        "titleAlign": "right",
        "titlePadding": 4,
        "tickCount": 5,
        "labelExpr": NUMBER,
        "grid": False,
    }
    scale: Spec = {"domain": {"unionWith": [0, 0.1]}, "nice": False}
    if chart.x != TIME:
        if len(places) <= MOST_TICKS:
            axis["values"] = _apart(places)
        scale = {"zero": False, "nice": False, "padding": 24}
        if chart.mark == "bars":
            axis |= {"values": [*range(len(places))]}
            axis["labelExpr"] = f"{json.dumps([f'{place:,.12g}' for place in places])}[datum.value]"
            scale = {"domain": [-0.5, max(0, len(places) - 1) + 0.5], "nice": False}
        elif _is_wide(places):
            scale["type"] = "log"
            if "values" not in axis:
                axis["labelExpr"] = f"{DECADE} ? {NUMBER} : ''"
    return {"field": "x", "type": "quantitative", "scale": scale, "axis": axis}


def _is_wide(places: Sequence[float]) -> bool:
    return bool(places) and 0 < places[0] * WIDE_RANGE <= places[-1]


def _apart(places: Sequence[float]) -> list[float]:
    """Return the places whose numbers would not be written over each other, the last ones first."""
    at = math.log if _is_wide(places) else float
    kept = list(places[-1:])
    for place in reversed(places[:-1]):
        share = (at(kept[-1]) - at(place)) / (at(places[-1]) - at(places[0]))
        if share * PLOT_WIDTH >= TICK_WIDTH:
            kept.append(place)
    return kept[::-1]


def _title(chart: Chart) -> list[str]:
    return textwrap.wrap(chart.y, TITLE)


def _places(drawn: Sequence[Drawn]) -> list[float]:
    return sorted({x for each in drawn for x, _ in each.points})


def _y(chart: Chart) -> Spec:
    axis: Spec = {
        "title": _title(chart),
        "titleAngle": 0,
        "titleAlign": "left",
        "titleBaseline": "bottom",
        "titleX": -LEFT + 4,
        "titleY": -22 - LINE * (len(_title(chart)) - 1),  # of the first line
        "titleLineHeight": LINE,
        "tickCount": 4,
        "labelExpr": NUMBER,
    }
    scale: Spec = {"domain": {"unionWith": [0, 1]}, "nice": True}
    if chart.levels:
        axis |= {
            "values": list(range(1, len(chart.levels) + 1)),
            "labelExpr": f"{json.dumps(chart.levels)}[datum.value - 1]",
            # Above its line: a name may be wider than the margin.
            "labelAlign": "left",
            "labelPadding": -2,
            "labelOffset": -LEVEL_ABOVE,
        }
        scale = {"domain": [0.5, len(chart.levels) + 0.5], "nice": False}
    if chart.logarithmic:
        axis |= {
            "tickCount": 8,
            "labelExpr": f"{DECADE} ? {NUMBER} : ''",
            "gridOpacity": {"condition": {"test": DECADE, "value": 1}, "value": 0},
        }
        scale = {"type": "log", "nice": False, "padding": 32}
    return {"field": "value", "type": "quantitative", "scale": scale, "axis": axis}


def _line(chart: Chart, drawn: Sequence[Drawn], number: int, axes: Spec) -> Spec:
    """Return the marks of one variant: bars, dots, or a line with a dot where its value is named."""
    each = drawn[number]
    look, values = each.look, [_at(*point) for point in each.points]
    if chart.mark == "bars":
        return _bars(chart, drawn, number, axes)
    if chart.mark == "points":
        return {**_data(values), "mark": {**_dot(look), "opacity": 0.75}, "encoding": axes}
    line = {
        "type": "line",
        "interpolate": "step-after" if chart.x == TIME else "linear",
        "color": f"var({look.colour})",
        "strokeDash": look.dash,
        "strokeWidth": look.width,
    }
    dots = [_at(*each.end)] if chart.x == TIME or len(values) > MOST_DOTS else values
    return {
        "layer": [
            {**_data(values), "mark": line, "encoding": axes},
            {**_data(dots), "mark": _dot(look), "encoding": axes},
        ]
    }


def _bars(chart: Chart, drawn: Sequence[Drawn], number: int, axes: Spec) -> Spec:
    """Return one variant's bars, beside those of the others in each second or at each place."""
    each, places = drawn[number], _places(drawn)
    width = BARS / len(drawn)
    values = []
    for x, value in each.points:
        begin = x if chart.x == TIME else places.index(x) - 0.5
        begin += (1 - BARS) / 2 + number * width
        values.append({"x": round(begin, 4), "to": round(begin + width, 4), "value": value})
    return {
        **_data(values),
        "mark": {"type": "rect", **_filled(each.look)},
        "encoding": {**axes, "x2": {"field": "to"}, "y2": {"value": PLOT_HEIGHT}},
    }


def _bound(value: float, axes: Spec) -> Spec:
    rule = {"type": "rule", "x": 0, "x2": PLOT_WIDTH, **_dotted()}
    return {**_data([{"value": value}]), "mark": rule, "encoding": {"y": axes["y"]}}


def _fault(number: int, seconds: float, label: str, axes: Spec) -> Spec:
    encoding = {"x": axes["x"]}
    text = {
        "type": "text",
        "text": label,
        "align": "left",
        "baseline": "top",
        "dx": 5,
        # Two rows by turns: neighbours do not write over each other.
        "y": -2 + 19 * (number % 2),
        "color": "var(--chart-ink)",
    }
    # Whatever is drawn below a label keeps away from its letters.
    halo = {**text, "stroke": "var(--panel, #ffffff)", "strokeWidth": 5}
    rule = {"type": "rule", "color": "var(--chart-ink)", "opacity": 0.45, "strokeWidth": 1}
    return {
        **_data([{"x": seconds}]),
        "layer": [{"mark": mark, "encoding": encoding} for mark in (rule, halo, text)],
    }


def _key(chart: Chart, each: Drawn, row: int) -> Spec:
    look, y = each.look, _row(row)
    if chart.mark == "bars":
        box = {"x": 6, "x2": KEY_WIDTH - 6, "y": y - 8, "y2": y + 8}
        marks: list[Spec] = [{"type": "rect", **box, **_filled(look)}]
    else:
        marks = [{**_dot(look), "x": KEY_WIDTH / 2, "y": y}]
    if chart.mark == "line":
        stroke = {"strokeDash": look.dash, "strokeWidth": look.width}
        marks.append({"type": "rule", "color": f"var({look.colour})", **stroke})
    return _in_key(marks, each.name, f"var({look.colour})", y)


def _bound_key(name: str, row: int) -> Spec:
    y = _row(row)
    return _in_key([{"type": "rule", **_dotted()}], name, "var(--chart-bound)", y)


def _in_key(marks: Sequence[Spec], name: str, colour: str, y: float) -> Spec:
    text = {"type": "text", "text": name, "x": KEY_WIDTH + 12, "y": y, "color": colour}
    text |= {"align": "left", "baseline": "middle", "fontWeight": 500}
    # A rule lies where its encoding says; the other marks say it themselves.
    line = {"x": {"value": 0}, "x2": {"value": KEY_WIDTH}, "y": {"value": y}}
    layers = [
        {"mark": mark, "encoding": line if mark["type"] == "rule" else {}}
        for mark in (*marks, text)
    ]
    return {**_data([{}]), "layer": layers}


def _row(number: int) -> float:
    return PLOT_HEIGHT + AXIS + ROW * (number + 0.5)


def _dotted() -> Spec:
    return {"strokeDash": [2, 4], "strokeWidth": 1.5, "color": "var(--chart-bound)"}


def _dot(look: Look) -> Spec:
    colour = f"var({look.colour})"
    return {"type": "point", "filled": True, "size": 70, "shape": look.shape, "color": colour}


def _filled(look: Look) -> Spec:
    colour = f"var({look.colour})"
    return {"fill": colour, "fillOpacity": look.fill, "stroke": colour, "strokeWidth": 1.5}


def _nothing(axes: Spec) -> Spec:
    return {**_data([]), "mark": "point", "encoding": axes}


def _data(values: Sequence[Spec]) -> Spec:
    return {"data": {"values": list(values)}}


def _at(x: float, value: float) -> Spec:
    return {"x": round(x, 4), "value": value}


def _config() -> Spec:
    return {
        "font": FONT,
        "text": {"fontSize": TEXT},
        "point": {"opacity": 1},
        "aria": False,
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "ticks": False,
            "grid": True,
            "gridColor": "var(--chart-grid)",
            "gridWidth": 1,
            "labelColor": "var(--chart-ink)",
            "labelFontSize": TICKS,
            "labelPadding": 8,
            "labelOverlap": False,
            "labelFlush": False,
            "titleColor": "var(--chart-ink)",
            "titleFontSize": TEXT,
            "titleFontWeight": 400,
        },
    }
