"""The database hangs for six seconds, while clients ask for what needs none."""

from collections.abc import Iterator
from threading import Event

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
)

from . import Load, Work, begin

AWAY_SECONDS = 6  # one that asks it is taken out within 4.6
AROUND = 50  # requests: so many are asked before, and again after


class HealthIsNotTheDatabase(Experiment):
    slug = "health-is-not-the-database"
    claim = "While the database hangs for six seconds, no request fails that does not need it."
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
        asked = failed = 0
        with (
            Load(stack, method="GET") as load,
            Work(lambda over: self._paused(stack, load, over)) as work,
        ):
            for batch in load.during(work):
                asked += len(batch)
                failed += sum(got.failed for got in batch)
                yield self.asked(asked)
                yield self.failed(failed)

    def _paused(self, stack: Stack, load: Load, over: Event) -> None:
        load.await_answers(AROUND, over)
        with stack.paused("postgres"):
            over.wait(AWAY_SECONDS)
        load.await_answers(AROUND, over)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.asked):,.0f} requests failed"
        return Verdict.at_most(samples.last(self.failed), 0, words)
