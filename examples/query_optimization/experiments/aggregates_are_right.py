"""The report beside plain loops over the CSV files."""

import json
from collections.abc import Iterator
from typing import Any

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
)

from . import told


class AggregatesAreRight(Experiment):
    slug = "aggregates-are-right"
    claim = (
        "Flights, cancellations, mean delay and wet hours of three airports in twelve months are those "
        "that plain loops count in the CSV files."
    )
    holds = ("optimized",)
    refuted = ("naive", "eager")
    wrong = Series("rows of the report")
    rows = Series("rows of the report")
    flights = Series("flights")
    flights_of_the_files = Series("flights")
    chart = Chart(wrong, "rows of the report that are wrong", x="months")

    ENOUGH = 9  # wrong rows: after a quarter of the year nothing is learnt from another month

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        truth = json.loads(stack.manage("oracle"))
        wrong = rows = flown = 0
        for number in range(1, 13):
            month = f"2013-{number:02}"
            said = {
                row["airport"]: row
                for row in told(stack, f"/api/{variant}/report/?month={month}")["airports"]
            }
            expected = {row["airport"]: row for row in truth[month]}
            rows += len(expected)
            flown += sum(row["flights"] for row in expected.values())
            wrong += sum(
                not self._same(said.get(airport), row) for airport, row in expected.items()
            ) + len(said.keys() - expected.keys())
            yield self.flights(sum(row["flights"] for row in said.values()))
            yield self.flights_of_the_files(flown)
            yield self.rows(rows)
            yield self.wrong(wrong, x=number)
            if wrong >= self.ENOUGH:
                break

    def _same(self, said: dict[str, Any] | None, expected: dict[str, Any]) -> bool:
        if said is None:
            return False
        # Both round to two places; two sums of the same numbers may differ in their last bit.
        near = abs(said["mean_delay"] - expected["mean_delay"]) <= 0.0101
        return near and said | {"mean_delay": 0} == expected | {"mean_delay": 0}

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()  # a quarter of the year is the figure
        said, there = sum(samples.values(self.flights)), samples.last(self.flights_of_the_files)
        rows = samples.last(self.rows)
        words = (
            f"{{measured}} of {rows:.0f} rows wrong, {said:,.0f} flights reported of {there:,.0f}"
        )
        wrong = Verdict.at_most(samples.last(self.wrong), 0, words)
        return wrong.provided(Verdict.at_least(rows, 36, "{measured} of {bound} rows compared"))
