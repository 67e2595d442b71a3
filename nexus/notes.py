"""What `make lint` says without failing.

Long pages, few reports, claims that no page of the hub shows, charts of another figure than is judged.
"""

import re
from collections.abc import Iterator, Sequence
from math import isclose
from pathlib import Path

from nexus import charts, hub, results
from nexus.catalog import Example
from nexus.experiment import Chart
from nexus.reports import LEAST, reports
from nexus.results import Run
from nexus.writeup import CLOSE, FENCE, OPEN

BUDGETS = {"README.md": 2_000, "OPERATING.md": 1_200}  # words
TOLERANCE = 0.005  # a figure is recorded rounded


def notes(root: Path, example: Example) -> Iterator[str]:
    """Yield a sentence for each thing of `example` that somebody should look at.

    Raises:
        ValueError: a report of its tests is not written as it should be.
    """
    for name, budget in BUDGETS.items():
        page = example.path / name
        if page.exists() and (count := words(page.read_text(encoding="utf-8"))) > budget:
            yield f"{example.name}/{name}: {count:,} words, the budget is {budget:,}."
    if (count := len(reports(example.path))) < LEAST:
        yield f"{example.name}: {count} of at least {LEAST} reports have a test."
    if unshown := _unshown(root, example):
        yield (
            f"{example.name}: no page of docs/ shows {', '.join(unshown)}; put `<!-- nexus:claim SLUG "
            f"example={example.name} -->` and `<!-- /nexus -->` on the page that asks its question, "
            "then `make sync`."
        )
    record = results.recorded(root, example.name)
    for slug, experiment in example.experiments.items():
        runs = record.runs(record.stack(slug), slug)
        differing = [] if experiment.chart.levels else _differing(experiment.chart, runs)
        if differing:
            yield (
                f"{example.name}: the chart of {slug} shows another figure than is judged: "
                f"{', '.join(differing)}."
            )


def _unshown(root: Path, example: Example) -> list[str]:
    """The claims that no page of the hub shows with a figure: the list of all claims has none."""
    shown = "\n".join(page.text for page in hub.pages(root))
    block = r"<!-- nexus:(?:claim|chart|figure|measured|param) {}(?: [^>]*)? example={}[ >]"
    slugs = example.experiments
    return [each for each in slugs if not re.search(block.format(each, example.name), shown)]


def _differing(chart: Chart, runs: Sequence[Run]) -> list[str]:
    found = []
    for run in runs:
        shown = charts.shown(chart, run.line(chart).points)
        if shown is not None and not isclose(shown, run.measured, rel_tol=TOLERANCE):
            found.append(f"{run.variant} {shown:.4g}, judged {run.measured:.4g}")
    return found


def words(page: str) -> int:
    """Count the words that were typed: those of the page without code and generated blocks."""
    count, fence, block = 0, "", False
    for line in page.split("\n"):
        mark = FENCE.match(line)
        if fence:
            if mark and line.strip() == mark["fence"] and mark["fence"].startswith(fence):
                fence = ""
        elif OPEN.match(line) or CLOSE.match(line):
            block = OPEN.match(line) is not None
        elif mark:
            fence = mark["fence"]
        elif not block:
            prose = re.sub(r"<!--.*?-->|\]\([^)]*\)", "", line)
            count += sum(re.search(r"\w", word) is not None for word in prose.split())
    return count
