"""A picture says what the samples say: exact points, both variants on one axis, words beside colours."""

import itertools
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus import catalog, charts, vega
from nexus.catalog import Example
from nexus.charts import Line
from nexus.drive import concluded, judged
from nexus.experiment import Chart, Sample, Samples, Series

admitted, answer = Series("requests", "admitted"), Series("s", "answer")
ADMITTED = Chart(admitted, "requests admitted")
WINDOW = Chart(admitted, "requests admitted in the last 4 s", window_seconds=4, bound=100)
ANSWER = Chart(answer, "seconds to the answer", mark="points", bound=1, logarithmic=True)
RETRIES = Chart(answer, "retries a second", mark="bars", bound=12)
ROWS = Chart(answer, "buffers of a page", x="rows", bound=15, logarithmic=True)
CHARTS = [ADMITTED, WINDOW, ANSWER, RETRIES, ROWS]

NAIVE = Line("drf_throttle", False, False, [(0.1, 40), (0.4, 227)], 101)
SOLUTION = Line("token_bucket", True, True, [(0.1, 60), (0.7, 101)], 102)


def seen(*moments, series="admitted", value=1.0):
    return [Sample(moment, series, value) for moment in moments]


def marks(spec, kind):
    """Every mark of one kind with the values it is drawn from, in the order of drawing."""
    found = []
    for layer in spec["layer"]:
        for each in layer.get("layer", [layer]):
            mark = each["mark"]
            if mark["type"] == kind:
                values = each.get("data", layer.get("data"))["values"]
                found.append((mark, [tuple(value.values()) for value in values]))
    return found


def texts(drawn):
    return [each.text for each in ElementTree.fromstring(drawn).iter() if each.tag.endswith("text")]


def test_only_the_charted_series_is_drawn():
    samples = [Sample(0.1, "admitted", 1), Sample(0.2, "refused", 7), Sample(0.3, "admitted", 2)]

    assert charts.points(ADMITTED, samples) == [(0.1, 1), (0.3, 2)]


def test_a_running_total_adds_the_values_up():
    chart = Chart(admitted, "requests", running_total=True)

    assert charts.points(chart, seen(0.1, 0.2, 0.5, value=3)) == [(0.1, 3), (0.2, 6), (0.5, 9)]


def test_points_are_in_the_order_of_time_whatever_order_the_answers_came_in():
    late = [Sample(0.4, "admitted", 3), Sample(0.1, "admitted", 1), Sample(0.2, "admitted", 2)]

    assert charts.points(ADMITTED, late) == [(0.1, 1), (0.2, 2), (0.4, 3)]
    total = Chart(admitted, "requests", running_total=True)
    assert charts.points(total, late) == [(0.1, 1), (0.2, 3), (0.4, 6)]


def test_a_window_counts_what_enters_and_what_leaves():
    # At 4.5 the window (0.5, 4.5] has lost the sample that lies exactly 4 s back.
    found = charts.points(WINDOW, seen(0.5, 1.0, 1.0, 4.5, 9.0))

    assert found == [(0.5, 1), (1.0, 3), (4.5, 3), (5.0, 1), (8.5, 0), (9.0, 1)]


moments = st.lists(st.integers(0, 200).map(lambda tenth: tenth / 10), max_size=60)


@given(moments)
def test_a_window_never_holds_another_number_than_lies_in_it(found):
    for now, count in charts.points(WINDOW, seen(*found)):
        assert count == sum(moment <= now < moment + 4 for moment in found)


def test_no_sample_is_no_point():
    for chart in CHARTS:
        assert charts.points(chart, seen(1.0, series="refused")) == []


def test_bars_are_the_sums_of_each_second():
    found = [*seen(0.1, 0.9, 2.0, series="answer"), Sample(2.5, "answer", 3)]

    assert charts.points(RETRIES, found) == [(0, 2), (2, 4)]


def test_a_sample_with_an_x_of_its_own_is_drawn_there():
    found = [Sample(0.5, "answer", 90, x=1000), Sample(9.0, "answer", 7, x=10)]

    assert charts.points(ROWS, found) == [(10, 7), (1000, 90)]
    bars = Chart(answer, "buffers", x="rows", mark="bars")
    assert charts.points(bars, [*found, Sample(9.5, "answer", 1, x=10)]) == [(10, 8), (1000, 90)]


pairs = st.tuples(st.floats(0, 100), st.floats(-1e6, 1e6))


@given(st.lists(pairs, max_size=400).map(sorted), st.integers(4, 150))
def test_thinning_keeps_limit_order_ends_and_extremes(points, most):
    thinned = charts.thin(points, most)

    assert len(thinned) <= most
    assert thinned == sorted(thinned)
    assert set(thinned) <= set(points)
    if points:
        assert (thinned[0], thinned[-1]) == (points[0], points[-1])
        values, kept = [value for _, value in points], [value for _, value in thinned]
        assert (min(kept), max(kept)) == (min(values), max(values))


def test_thinning_keeps_a_spike_in_every_stretch():
    points = [(float(n), 100.0 if n % 100 == 50 else 1.0) for n in range(1000)]

    assert sum(value == 100 for _, value in charts.thin(points, 60)) == 10


def test_a_short_line_is_not_thinned():
    assert charts.thin([(0.0, 1.0), (1.0, 1.0)]) == [(0.0, 1.0), (1.0, 1.0)]


def test_both_variants_stand_on_one_axis_with_its_unit():
    spec = charts.spec(ADMITTED, [NAIVE, SOLUTION], faults=[(0.2, "redis stopped")])

    assert [values for _, values in marks(spec, "line")] == [NAIVE.points, SOLUTION.points]
    rules = [values for mark, values in marks(spec, "rule") if mark["color"].endswith("bound)")]
    assert rules == [[(101,)], [(102,)], [()]]  # the last is that of the key
    drawn = texts(charts.svg(spec))
    assert {"requests admitted", "seconds", "redis stopped"} <= set(drawn)


def test_the_charts_own_bound_goes_before_the_verdicts():
    drawn = charts.svg(charts.spec(WINDOW, [NAIVE, SOLUTION]))

    assert [text for text in texts(drawn) if "bound" in (text or "")] == ["bound 100"]


def test_an_axis_of_its_own_shows_the_places_and_joins_them_by_straight_lines():
    lines = [
        Line("naive", False, False, [(10_000, 90), (100_000, 900), (1_000_000, 8800)], 15),
        Line("solution", True, True, [(10_000, 4), (100_000, 5), (1_000_000, 6)], 15),
    ]

    spec = charts.spec(ROWS, lines, faults=[(2.0, "redis stopped")])

    assert spec["description"].startswith("buffers of a page, by rows: naive 8,800 (refuted)")
    drawn = charts.svg(spec)
    assert {"rows", "10k", "100k", "1M", "naive 8,800", "bound 15"} <= set(texts(drawn))
    assert "redis stopped" not in texts(drawn)  # when it was is no place on this axis
    assert {mark["interpolate"] for mark, _ in marks(spec, "line")} == {"linear"}
    x = [place for mark, values in marks(spec, "line") for place, _ in values]
    assert x == [10_000, 100_000, 1_000_000] * 2
    # A range of a hundred is logarithmic: each step of ten is as wide as the other.
    dots = [float(x) for x in re.findall(r'<path transform="translate\(([\d.]+),', drawn)]
    assert dots[1] - dots[0] == pytest.approx(dots[2] - dots[1])
    assert dots[2] - dots[0] > vega.PLOT_WIDTH / 2


def test_places_that_are_near_each_other_do_not_write_their_numbers_over_each_other():
    lines = [Line("naive", False, False, [(552, 5), (568, 6)], 0)]
    lines.append(Line("solution", True, True, [(364, 0)], 0))

    drawn = charts.svg(charts.spec(Chart(answer, "bookings lost", x="bookings"), lines))

    assert {"364", "568"} <= set(texts(drawn))
    assert "552" not in texts(drawn)


def test_bars_of_the_variants_stand_beside_each_other():
    lines = [
        Line("fire_and_forget", False, False, [(12, 100)], 12),
        Line("durable", True, True, [(0, 9), (12, 11)], 12),
    ]

    spec = charts.spec(RETRIES, lines)

    (_, naive), (_, solution), *_ = marks(spec, "rect")
    assert naive == [(12.08, 12.5, 100)]
    assert solution == [(0.5, 0.92, 9), (12.5, 12.92, 11)]
    assert {"fire_and_forget 100", "durable 11", "bound 12"} <= set(texts(charts.svg(spec)))


def test_bars_at_places_of_their_own_are_as_far_apart_as_each_other():
    chart = Chart(answer, "seconds to load", x="rows", mark="bars")
    lines = [Line("copy", True, True, [(10, 1), (1_000_000, 7)], 9)]

    spec = charts.spec(chart, lines)

    assert marks(spec, "rect")[0][1] == [(-0.42, 0.42, 1), (0.58, 1.42, 7)]
    assert {"10", "1,000,000", "copy 7"} <= set(texts(charts.svg(spec)))


@pytest.mark.parametrize("chart", CHARTS)
def test_a_drawing_names_each_line_its_value_and_the_bound(chart):
    drawn = texts(charts.svg(charts.spec(chart, [NAIVE, SOLUTION])))

    bound = "101 to 102" if chart.bound is None else f"{chart.bound:g}"
    assert {"drf_throttle 227", "token_bucket 101", f"bound {bound}"} <= set(drawn)


def test_levels_are_named_and_have_neither_numbers_nor_a_bound():
    chart = Chart(answer, "where answers came from", mark="points", levels=("computed", "cache"))
    lines = [
        Line("naive", False, False, [(0.1, 1), (0.4, 1)], 0),
        Line("solution", True, True, [(0.1, 1), (0.4, 2)], 0),
    ]

    drawn = charts.spec(chart, lines)

    assert drawn["description"] == (
        "where answers came from: naive computed (refuted), solution computed and cache (holds)"
    )
    assert {"computed", "cache", "naive", "solution"} <= set(texts(charts.svg(drawn)))
    assert not any("bound" in (text or "") for text in texts(charts.svg(drawn)))
    # Side by side, around their level.
    naive, solution, *_ = [values for _, values in marks(drawn, "point")]
    assert [round(value, 2) for _, value in naive] == [1.07, 1.07]
    assert [round(value, 2) for _, value in solution] == [0.93, 1.93]


def test_a_window_is_named_by_its_greatest_value():
    line = Line("fixed_window", False, False, [(1, 50), (2, 199), (3, 20)])

    assert "fixed_window 199" in texts(charts.svg(charts.spec(WINDOW, [line])))


def test_naive_and_solution_differ_by_more_than_colour():
    lines = [Line(f"v{n}", None, n > 1, [(0, n + 1), (1, n + 2)], 2) for n in range(4)]
    drawn = charts.svg(charts.spec(ADMITTED, lines))

    dashes = re.findall(r'<path aria-label|stroke-dasharray="([^"]+)"', drawn)
    assert len({dash for dash in dashes if dash not in {"2,4", "1,3"}}) == 4


@pytest.mark.parametrize("chart", CHARTS)
def test_names_lie_beneath_the_plot_in_the_order_of_their_values_and_inside(chart):
    values = (100, 2, 1, 300)
    lines = [Line(f"variant-{n}", None, n > 1, [(1, 1), (2, v)], 5) for n, v in enumerate(values)]
    drawn = charts.svg(charts.spec(chart, lines))

    height = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', drawn)[1])
    found = re.findall(r'translate\([\d.]+,([-\d.]+)\)"[^>]*>(variant-\d|bound) ', drawn)
    names = [name for _, name in sorted(found, key=lambda each: float(each[0]))]
    assert names == ["variant-3", "variant-0", "variant-1", "variant-2", "bound"]
    rows = sorted(float(each) for each, _ in found)
    assert all(below - above >= vega.TEXT for above, below in itertools.pairwise(rows))
    assert rows[0] > vega.PLOT_HEIGHT + vega.TICKS + vega.TEXT
    assert vega.TOP + rows[-1] + vega.TEXT / 2 <= height


def test_a_long_title_stands_in_two_lines_above_the_plot():
    title = "chains alive after one token was refreshed 50 times at once"
    spec = charts.spec(Chart(admitted, title), [SOLUTION])

    drawn, short = charts.svg(spec), charts.svg(charts.spec(ADMITTED, [SOLUTION]))

    lines = ["chains alive after one token was refreshed 50", "times at once"]
    assert re.findall(r"<tspan[^>]*>([^<]*)</tspan>", drawn) == lines
    # The second is where the only line of a short title is: above the plot by as much.
    place = r'translate\(-56,([-\d.]+)\)"'
    [first], [only] = re.findall(place, drawn), re.findall(place, short)
    assert float(first) + float(re.search(r'dy="(\d+)"', drawn)[1]) == float(only)
    assert spec["padding"]["top"] == vega.TOP + vega.LINE


def test_text_is_of_12_pixels_where_a_page_of_390_shows_it():
    drawn = charts.svg(charts.spec(ADMITTED, [NAIVE, SOLUTION], faults=[(0.2, "redis stopped")]))
    width = float(re.search(r'viewBox="0 0 ([\d.]+) ', drawn)[1])

    sizes = {float(each) for each in re.findall(r'font-size="([\d.]+)px"', drawn)}

    assert min(sizes) * 358 / width >= 12  # GitHub and the lab leave 16 px at each side


@pytest.mark.parametrize("chart", CHARTS)
def test_a_run_that_has_just_begun_is_drawn(chart):
    waiting = Line("token_bucket", None, True, [], None)

    assert "NaN" not in charts.svg(charts.spec(chart, [waiting]))
    assert "NaN" not in charts.svg(charts.spec(chart, [waiting, NAIVE]))
    assert "no value yet" in charts.svg(charts.spec(chart, [waiting]))


def test_what_has_no_logarithm_is_left_out():
    line = Line("token_bucket", True, True, [(0, 0), (1, 0.01), (2, 0.1)])

    drawn = charts.svg(charts.spec(ANSWER, [line]))

    assert "token_bucket 0.1" in texts(drawn)
    assert "NaN" not in drawn
    assert "Infinity" not in drawn


def test_a_drawing_is_an_image_with_a_title_and_no_colour_of_its_own():
    drawn = charts.svg(charts.spec(ADMITTED, [NAIVE, SOLUTION]))
    root = ElementTree.fromstring(drawn)

    assert root.get("role") == "img"
    assert root[0].tag.endswith("title")
    assert root[0].text == (
        "requests admitted: drf_throttle 227 (refuted), token_bucket 101 (holds); bound 101 to 102"
    )
    painted = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawn))
    assert {each for each in painted if not each.startswith("var(--chart-")} <= {
        "none",
        "transparent",
    }
    assert set(re.findall(r"var\(([\w-]+)\)", drawn)) <= set(charts.THEMES["light"])


def test_a_title_is_escaped():
    line = Line("a<b&c", None, False, [(0, 1)])

    assert ElementTree.fromstring(charts.svg(charts.spec(ADMITTED, [line])))[0].text.endswith(
        "a<b&c 1"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_stands_alone_and_is_the_same_every_time(theme):
    spec = charts.spec(ADMITTED, [NAIVE, SOLUTION])

    drawn = charts.picture(spec, theme)

    assert "var(" not in drawn
    assert charts.THEMES[theme]["--chart-naive"] in drawn
    assert charts.picture(spec, theme) == drawn
    ElementTree.fromstring(drawn)


@pytest.mark.parametrize(("theme", "paper"), [("light", "#fbfaf7"), ("dark", "#16181d")])
def test_every_colour_that_writes_can_be_read(theme, paper):
    for name, colour in charts.THEMES[theme].items():
        if name != "--chart-grid":
            assert contrast(colour, paper) >= 4.5, name


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_claim_draws_a_series_it_yields(example: Example):
    for slug, experiment in example.experiments.items():
        chart = experiment.chart
        assert chart.series in experiment.series().values(), slug
        assert not (chart.running_total and chart.window_seconds), slug
        assert chart.bound is None or not chart.logarithmic or chart.bound > 0, slug


def burst_after(seconds, without_redis, admitted):
    """What `survives-redis` yields of a burst after Redis has returned."""
    return [
        (seconds, "answered without Redis, of a burst after its return", without_redis),
        (seconds, "that Redis may admit of it", 101),
        (seconds, "admitted by Redis, of a burst after its return", admitted),
    ]


# What a run yields, in the order in which it does, in small: (holds at last, samples).
RUNS = {
    "burst-is-bounded": [
        (True, [(0.1, "lasted", 0.1), (0.1, "admitted", 1, 50), (0.2, "admitted", 100, 1000)]),
        (False, [(0.1, "lasted", 0.1), (0.1, "admitted", 1, 50), (0.2, "admitted", 99, 1000)]),
        (False, [(0.1, "lasted", 0.1), (0.1, "without Redis", 600), (0.1, "admitted", 9, 1000)]),
        (False, [(0.1, "lasted", 0.1), (0.1, "admitted", 2000, 2000)]),
    ],
    "no-cliff": [
        (True, [(0.1, "fastest", 0), (2.6, "fastest", 10)]),
        (False, [(2.6 + n / 1000, "fastest", n) for n in range(12)]),
    ],
    "retry-after-is-true": [
        (
            True,
            [
                (0.5, "waited", 1),
                (1.5, "due", 1),
                (1.5, "admitted", 0),
                (1.5, "refused after waiting", 0),
                (1.6, "admitted", 1),
            ],
        ),
        (
            False,
            [
                (0.5, "waited", 0),
                (0.6, "due", 0),
                (0.6, "admitted", 0),
                (0.6, "refused after waiting", 1),
            ],
        ),
        (
            False,
            [
                (1.5, "due", 2),
                (1.5, "admitted", 1),
                (1.5, "refused after waiting", 0),
            ],
        ),
    ],
    "no-free-identity": [
        (
            True,
            [
                (0.1, "attacker admitted", 200),
                (0.1, "without Redis", 0),
                (0.1, "wrong", 0),
                (0.2, "victim refused", 0),
                (0.2, "wrong", 0),
            ],
        ),
        (
            False,
            [
                (0.1, "attacker admitted", 199),
                (0.1, "without Redis", 0),
                (0.1, "wrong", 0),
                (0.2, "victim refused", 0),
                (0.2, "wrong", 0),
            ],
        ),
        (
            False,
            [
                (0.1, "attacker admitted", 0),
                (0.1, "without Redis", 1250),
                (0.1, "wrong", 0),
                (0.2, "victim refused", 0),
                (0.2, "wrong", 0),
            ],
        ),
        (
            False,
            [
                (0.1, "attacker admitted", 1),
                (0.1, "without Redis", 0),
                (0.1, "wrong", 0),
                (0.2, "victim refused", 20),
                (0.3, "wrong", 20),
            ],
        ),
        (False, [(0.1, "attacker admitted", 300), (0.2, "wrong", 98)]),
    ],
    "survives-redis": [
        (
            True,
            [
                (0.1, "answer", 0.02),
                (0.1, "broken", 0),
                (3.0, "exact again", 0.3),
                *burst_after(3.2, 0, 100),
                *burst_after(6.2, 200, 90),
                *burst_after(6.4, 3, 98),
            ],
        ),
        (
            False,
            [
                (0.1, "answer", 0.02),
                (0.1, "broken", 0),
                (3.0, "exact again", 0.3),
                *burst_after(3.2, 0, 100),
                *burst_after(6.2, 200, 90),
            ],
        ),
        (
            False,
            [
                (0.1, "answer", 0.9),
                (0.1, "broken", 0),
                (1.2, "answer", 1.2),
                (1.2, "not answered within 1 s", 1),
                (1.2, "broken", 1),
            ],
        ),
        (
            False,
            [(0.1, "answer", 0.9), (0.1, "answered against their policy", 1), (0.1, "broken", 1)],
        ),
        (
            False,
            [
                (0.1, "answer", 0.02),
                (0.1, "broken", 0),
                (9.0, "exact again", 6),
                *burst_after(9.2, 0, 100),
            ],
        ),
        (
            False,
            [
                (0.1, "answer", 0.02),
                (0.1, "broken", 0),
                (3.0, "exact again", 0.3),
                *burst_after(3.2, 0, 102),
            ],
        ),
    ],
    "all-or-nothing": [
        (
            True,
            [
                (0.1, "admitted", 10),
                (2, "without Redis", 0),
                (2, "admitted", 20),
                (5, "without Redis", 0),
                (5, "admitted", 30),
            ],
        ),
        (False, [(0.1, "admitted", 10), (5, "without Redis", 0), (5, "admitted", 10)]),
        (False, [(0.1, "admitted", 10), (5, "without Redis", 3), (5, "admitted", 26)]),
        (True, [(0.1, "admitted", 10), (5, "without Redis", 4), (5, "admitted", 26)]),
    ],
    "flood-is-cheap": [
        (True, [(0.1, "refused", 100), (0.1, "commands", 20), (1, "commands", 60)]),
        (False, [(0.1, "refused", 100), (0.1, "commands", 300), (1, "commands", 4000)]),
    ],
    "memory-is-flat": [
        (True, [(0.1, "size", 56), (0.2, "size", 56), (1, "clients left", 0)]),
        (False, [(0.1, "size", 900), (0.2, "size", 1800)]),
        (False, [(0.1, "size", 56), (1, "clients left", 3000)]),
    ],
}


@pytest.mark.parametrize(
    ("slug", "holds", "samples"),
    [(slug, holds, samples) for slug, made in RUNS.items() for holds, samples in made],
)
def test_no_beginning_of_a_run_that_holds_is_refuted(slug, holds, samples):
    experiment = catalog.example("rate_limiting").experiment(slug)
    found = [Sample(*each) for each in samples]

    verdicts = [
        judged(experiment(), Samples(found[:end], over=False), experiment.defaults())
        for end in range(1, len(found) + 1)
    ]
    last = concluded(experiment(), Samples(found), experiment.defaults())

    assert last.holds is holds
    # What has been refuted once stays so; a run that holds at its end is never refuted before.
    known = [verdict.holds for verdict in verdicts if verdict]
    assert known == sorted(known, reverse=True)
    assert all(each.figure and math.isfinite(each.measured) for each in [*verdicts, last] if each)


def test_every_claim_of_the_first_example_has_such_a_run():
    assert set(RUNS) == set(catalog.example("rate_limiting").experiments)
