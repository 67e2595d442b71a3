"""Twelve monthly reports, compared with what plain loops count in the files."""

import csv
import lzma
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict

from . import told

DATA = Path(__file__).parent.parent / "loading" / "data"


def from_files() -> dict[str, list[dict[str, Any]]]:
    """Count the monthly reports from the files alone: no database, no model, plain loops."""
    flights: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in lines("flights"):
        flights[row["time_hour"][:7], row["origin"]].append(row["dep_delay"])  # 2013-07, UTC
    wet: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in lines("weather"):
        wet[row["time_hour"][:7], row["origin"]] += float(row["precip"].replace("NA", "0")) >= 0.1
    report: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for (month, airport), delays in sorted(flights.items()):
        flown = [int(delay) for delay in delays if delay != "NA"]
        report[month].append(
            {
                "airport": airport,
                "flights": len(delays),
                "cancelled": len(delays) - len(flown),
                "mean_delay": round(sum(flown) / len(flown), 2),
                "wet_hours": wet[month, airport],
            }
        )
    return report


def lines(name: str) -> Iterator[dict[str, str]]:
    with lzma.open(DATA / f"{name}.csv.xz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


class AggregatesAreRight(Experiment):
    slug = "aggregates-are-right"
    claim = (
        "Flights, cancellations, mean delay and wet hours of three airports in twelve months are those "
        "that plain loops count in the CSV files."
    )
    holds = ("optimized",)
    refuted = ("naive", "eager")
    wrong = Series("rows of the report that are wrong")
    rows = Series("rows of the report")
    flights = Series("flights reported")
    counted = Series("flights of the files")
    chart = Chart(wrong, "rows of the report that are wrong", x="months", bound=0)

    reports = (
        (
            "inventree/InvenTree#965",
            "`distinct=True` against the joined rows drops equal values: ten items of 5 are 5",
            "nothing is joined that would have to be made distinct again",
        ),
        (
            "strawberry-graphql/strawberry-django#598",
            "two counts over two relations in one query multiply each other",
            "one aggregate for each relation: 36 of 36 rows are those of plain loops",
        ),
    )

    ROWS = 36

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        truth = from_files()
        wrong = rows = flights = counted = 0
        for month in range(1, 13):
            path = f"/api/{variant}/report/?month=2013-{month:02}"
            said = {row["airport"]: row for row in told(stack, path)["airports"]}
            expected = {row["airport"]: row for row in truth[f"2013-{month:02}"]}
            rows += len(expected)
            flights += sum(row["flights"] or 0 for row in said.values())
            counted += sum(row["flights"] for row in expected.values())
            wrong += len(said.keys() - expected.keys()) + sum(
                not self._same(said.get(airport), row) for airport, row in expected.items()
            )
            yield self.flights(flights)
            yield self.counted(counted)
            yield self.rows(rows)
            yield self.wrong(wrong, x=month)

    def _same(self, said: dict[str, Any] | None, expected: dict[str, Any]) -> bool:
        if said is None or said["mean_delay"] is None:
            return False
        # Both round to two places; two sums of the same numbers may differ in their last bit.
        near = abs(said["mean_delay"] - expected["mean_delay"]) <= 0.0101
        return near and said | {"mean_delay": 0} == expected | {"mean_delay": 0}

    def judge(self, samples: Samples, params: Params) -> Verdict:
        rows = samples.last(self.rows)
        reported, counted = samples.last(self.flights), samples.last(self.counted)
        words = (
            f"{{measured}} of {rows:.0f} rows wrong, {reported:,.0f} flights reported where there are "
            f"{counted:,.0f}"
        )
        wrong = Verdict.at_most(samples.last(self.wrong), 0, words)
        if not wrong.holds:
            return wrong
        return wrong & Verdict.exactly(rows, self.ROWS, "{measured} of {bound} rows compared")
