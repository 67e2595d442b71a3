"""Eight clients ask for an export that takes three seconds, again and again, while a release is replaced."""

from collections.abc import Iterator
from threading import Event

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
)

from . import Load, Outcome, Work, begin, none_of, replaced

CLIENTS = 8
SECONDS = 3


class LongRequestsFinish(Experiment):
    slug = "long-requests-finish"
    claim = "Eight requests of 3 seconds that are under way during a release are all answered."
    holds = ("blue_green",)
    refuted = ("short_grace",)
    cut = Series("requests", "requests cut off")
    chart = Chart(cut, "requests cut off", running_total=True)

    reports = (
        (
            "apache/superset#41172",
            "no SIGTERM arrives, SIGKILL ends the grace, and all that is under way is cut",
            "the old release is stopped once its last request is answered",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        yield clock_starts()
        path = f"/api/airports/JFK/export/?seconds={SECONDS}"
        # One begins every quarter second, until all are under way, and again whenever one has ended:
        # whenever the old release is stopped, most have longer to go than the grace.
        with (
            Load(stack, rate=4, clients=CLIENTS, path=path) as load,
            Load(
                stack, clients=30
            ),  # or a trial would wait long for its answers, and meet more exports
            Work(lambda over: self._replaced(stack, load, over)) as work,
        ):
            for batch in load.during(work, wait=False):
                yield self.cut(sum(got.failed for got in batch))
        if refused := work.outcomes[0].refused:
            raise ExperimentError(f"nothing was replaced: {refused}")
        ended = [got for got in load.got if not got.failed]
        if len(ended) == len(load.got) < CLIENTS:
            raise ExperimentError(f"only {len(ended)} exports came to their end")

    def _replaced(self, stack: Stack, load: Load, over: Event) -> Outcome:
        load.await_under_way(CLIENTS // 2, over)  # the others begin while the new release starts
        return replaced(stack, "good")

    def judge(self, samples: Samples, params: Params) -> Verdict:
        cut = sum(samples.values(self.cut))
        return none_of(cut, samples.over, "{measured:request} of 3 seconds cut off", enough=3)
