"""Eight clients ask for an export that takes three seconds, again and again, while a release is replaced."""

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
    clock_starts,
)

from . import Load, Work, begin, none_of, replaced

CLIENTS = 8
SECONDS = 3


class LongRequestsFinish(Experiment):
    slug = "long-requests-finish"
    claim = "Eight requests of 3 seconds that are under way during a release are all answered."
    holds = ("blue_green",)
    refuted = ("short_grace",)
    cut = Series("requests", "requests cut off")
    taken = Series("seconds")
    chart = Chart(taken, "seconds that a request took", mark="points")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        yield clock_starts()
        path = f"/api/airports/JFK/export/?seconds={SECONDS}"
        # One begins every 3/8 s: whenever the old release is stopped, some have long to go.
        with (
            Load(stack, rate=CLIENTS / SECONDS, clients=CLIENTS, path=path) as load,
            Work(lambda: replaced(stack, "good")) as work,
        ):
            for got in load.during(work):
                yield self.cut(got.failed, at=got.received)
                yield self.taken(got.received - got.due, at=got.received)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        cut = sum(samples.values(self.cut))
        return none_of(cut, samples.over, "{measured:request} of 3 seconds cut off", enough=3)
