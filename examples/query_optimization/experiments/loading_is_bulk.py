"""The same rows loaded in three ways by one process, which measures speed and memory."""

import json
from collections.abc import Iterator
from pathlib import Path

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict

LADDER = Path(__file__).with_name("shell") / "ladder.py"


class LoadingIsBulk(Experiment):
    slug = "loading-is-bulk"
    claim = (
        "Loading inserts at least 4 times as many rows a second as bulk_create and 50 times as many as "
        "create, and neither loading nor exporting takes memory that grows with the number of rows."
    )
    holds = ("copy",)
    refuted = ("create", "bulk_create")
    speed = Series("rows a second")
    times_bulk = Series("times the speed of bulk_create")
    times_create = Series("times the speed of create")
    loading = Series("bytes of memory at most while loading")
    exporting = Series("bytes of memory at most while exporting")
    chart = Chart(times_bulk, "speed, bulk_create = 1", mark="points", bound=4, logarithmic=True)

    MOST_GROWTH = 1.5  # of the peak, for four times the rows

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        # Measured where the rows are loaded: the text of a module that the image does not have.
        script = f"{LADDER.read_text('utf-8')}\nprint(measured({variant!r}))\n"
        shell = ("shell", "--no-imports", "--verbosity", "0", "--command")
        figures = json.loads(stack.manage(*shell, script))
        speeds = figures["rows_per_second"]
        yield self.speed(speeds[variant])
        yield self.times_bulk(speeds[variant] / speeds["bulk_create"])
        yield self.times_create(speeds[variant] / speeds["create"])
        for series, peaks in (
            (self.loading, "peak_bytes"),
            (self.exporting, "export_peak_bytes"),
        ):
            for peak in figures[peaks]:
                yield series(peak)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        return (
            Verdict.at_least(
                samples.last(self.times_bulk),
                4,
                "{measured} times as fast as bulk_create, {bound} required",
            )
            & Verdict.at_least(
                samples.last(self.times_create),
                50,
                "{measured} times as fast as create, {bound} required",
            )
            & self._growth(samples, self.loading, "to load")
            & self._growth(samples, self.exporting, "to export")
        )

    def _growth(self, samples: Samples, series: Series, what: str) -> Verdict:
        few, many = samples.values(series)
        words = f"{{measured}} times the memory {what} four times the rows, {{bound}} is allowed"
        return Verdict.at_most(many / few, self.MOST_GROWTH, words)
