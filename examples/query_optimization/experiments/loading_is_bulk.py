"""What COPY saves, in rows a second and in memory."""

import json
from collections.abc import Iterator

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


class LoadingIsBulk(Experiment):
    slug = "loading-is-bulk"
    claim = (
        "Loading inserts at least 4 times as many rows a second as bulk_create and 50 times as many as "
        "create, and neither loading nor exporting takes memory that grows with the number of rows."
    )
    holds = ("copy",)
    refuted = ("create", "bulk_create")
    times_bulk_create = Series("ratio")
    times_create = Series("ratio")
    loading = Series("bytes", "peak memory of loading")
    exporting = Series("bytes", "peak memory of exporting")
    chart = Chart(
        times_bulk_create,
        "speed, bulk_create = 1",
        x="runs",
        mark="points",
        bound=4,
        logarithmic=True,
    )

    MOST_GROWTH = 1.5  # of the peak, for four times the rows

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        figures = json.loads(stack.manage("ladder", variant))
        speeds = figures["rows_per_second"]
        yield self.times_bulk_create(speeds[variant] / speeds["bulk_create"], x=1)
        yield self.times_create(speeds[variant] / speeds["create"])
        for series, peaks in ((self.loading, "peak_bytes"), (self.exporting, "export_peak_bytes")):
            for peak in figures[peaks]:
                yield series(peak)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} times bulk_create, at least {bound}"
        bulk = Verdict.at_least(samples.last(self.times_bulk_create), 4, words)
        words = "{measured} times create, at least {bound}"
        single = Verdict.at_least(samples.last(self.times_create), 50, words)
        memory = [
            Verdict.at_most(
                self._growth(samples, series),
                self.MOST_GROWTH,
                f"{series.name} {{measured}} times for four times the rows, {{bound}} allowed",
            )
            for series in (self.loading, self.exporting)
        ]
        return (bulk & single).provided(memory[0]).provided(memory[1])

    def _growth(self, samples: Samples, series: Series) -> float:
        few, many = samples.values(series)
        return many / few
