"""Twelve monthly reports, compared with what plain loops count in the files."""

import json
from collections.abc import Iterator
from typing import Any

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict

from . import told


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
            "strawberry-graphql/strawberry-django#598",
            "two counts over two relations in one query multiply each other",
            "one aggregate for each relation: 36 of 36 rows are those of plain loops",
        ),
    )

    ROWS = 36

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        truth = json.loads(stack.manage("oracle"))
        wrong = rows = flights = counted = 0
        for month in range(1, 13):
            path = f"/api/{variant}/report/?month=2013-{month:02}"
            said = {row["airport"]: row for row in told(stack, path)["airports"]}
            expected = {row["airport"]: row for row in truth[f"2013-{month:02}"]}
            rows += len(expected)
            flights += sum(row["flights"] for row in said.values())
            counted += sum(row["flights"] for row in expected.values())
            wrong += len(said.keys() - expected.keys()) + sum(
                not self._same(said.get(airport), row) for airport, row in expected.items()
            )
            yield self.flights(flights)
            yield self.counted(counted)
            yield self.rows(rows)
            yield self.wrong(wrong, x=month)

    def _same(self, said: dict[str, Any] | None, expected: dict[str, Any]) -> bool:
        if said is None:
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
