"""Three releases, one after the other, while clients ask 300 times a second."""

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

from . import ENOUGH, Got, Load, Work, begin, none_of, replaced

RELEASES = 3
RELEASED, FAILED = 1, 2  # levels of the chart


class NoRequestIsLost(Experiment):
    slug = "no-request-is-lost"
    claim = "During three releases under 300 requests a second none fails, and each release answers some."
    holds = ("blue_green",)
    refuted = ("recreate", "rolling_nginx", "start_then_stop")
    failed = Series("requests")
    asked = Series("requests")
    answering = Series("releases", "releases that answered")
    twice = Series("bookings", "bookings that asking again without a key would have made twice")
    happened = Series("what happened")
    chart = Chart(
        happened,
        "failed requests and new releases",
        mark="points",
        levels=("new release", "request fails"),
    )
    live = (asked, twice)

    reports = (
        (
            "wowu/docker-rollout#21",
            "the proxy still sends requests to the container that is being stopped",
            "the proxy is told first, and the old release is stopped once nothing is under way",
        ),
        (
            "maxcountryman/aquamarine#2",
            "two containers are up, one is stopped, and the proxy goes on sending it its half",
            "the old release gets no request from the switch on",
        ),
        (
            "nginx-proxy/nginx-proxy#1495",
            "one error, and nginx takes its only live server for dead: `no live upstreams`",
            "what the gate has just asked is up, whatever the proxy thinks of its place",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        yield clock_starts()
        seen: set[str] = set()
        orders = [lambda over: self._replaced(stack, load, over)] * RELEASES
        with Load(stack) as load, Work(*orders) as work:
            for batch in load.during(work):
                yield self.asked(len(batch))
                yield self.failed(sum(got.failed for got in batch))
                yield self.twice(sum(got.status == 200 for got in load.again))
                yield from self._events(batch)
                if new := {got.release for got in batch if not got.failed} - seen:
                    seen |= new
                    yield self.happened(RELEASED)
                    yield self.answering(len(seen))

    def _replaced(self, stack: Stack, load: Load, over: Event) -> None:
        replaced(stack, "good")
        # Or the next release would come to the place where they are waited for, and hide what this one lost.
        load.await_those_under_way(over)
        if sum(got.failed for got in load.got) >= ENOUGH:
            over.wait(1)  # this run is refuted, and ends: another release would only hold that up

    def _events(self, batch: list[Got]) -> Iterator[Sample]:
        for got in batch:
            if got.failed:
                yield self.happened(FAILED, at=got.received)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        asked = sum(samples.values(self.asked))
        words = f"{{measured}} of {asked:,.0f} requests failed"
        lost = none_of(sum(samples.values(self.failed)), samples.over, words)
        if not samples.over:
            return lost
        # Each release, and the one before them: else a switch that did nothing would lose nothing.
        answered = samples.last(self.answering, 0)
        words = "{measured} of {bound} releases answered"
        return lost.provided(Verdict.exactly(answered, RELEASES + 1, words))
