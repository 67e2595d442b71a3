"""The database hangs for four seconds, while clients ask for what needs none."""

import time
from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    rest,
)

from . import Load, begin

AWAY_SECONDS = 4
ALL_SECONDS = 5.5
LEAST = 750  # requests: fewer would be another load than the claim speaks of


class HealthIsNotTheDatabase(Experiment):
    slug = "health-is-not-the-database"
    claim = "While the database hangs for four seconds, no request fails that does not need it."
    holds = ("blue_green",)
    refuted = ("as_usual",)
    failed = Series("failed requests")
    asked = Series("requests")
    chart = Chart(failed, "failed requests", bound=0)
    live = (asked,)
    reports = (
        (
            "rubygems/rubygems.org#1898",
            "the health check asks the database: its trouble takes all servers out, a full outage",
            "`/healthz` asks the process alone, and what needs no database goes on",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        yield clock_starts()
        began = time.monotonic()
        with Load(stack, method="GET") as load:
            yield from self._until(began + 0.7, load)
            with stack.paused("postgres"):
                yield from self._until(time.monotonic() + AWAY_SECONDS, load)
            yield from self._until(began + ALL_SECONDS, load)
        yield from self._until(0, load)
        if len(load.got) < LEAST:
            raise ExperimentError(f"the clients sent only {len(load.got)} requests")

    def _until(self, end: float, load: Load) -> Iterator[Sample]:
        while True:
            got = load.got.copy()
            yield self.asked(len(got))
            yield self.failed(sum(each.failed for each in got))
            if time.monotonic() >= end:
                return
            rest(0.1)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.asked):,.0f} requests failed"
        return Verdict.at_most(samples.last(self.failed), 0, words)
