"""Tell 25 changes to 10 displays, and 25 to 200: what Redis and PostgreSQL have to do for each."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

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
    rest,
    until,
)

from . import (
    OF_THE_EXPERIMENT,
    PATIENCE_SECONDS,
    all_joined,
    change,
    desk,
    displays,
    number,
    patience,
    pumped,
    rooms,
    settled,
    socket,
    store,
)

FEW, MANY, CHANGES, PER_SECOND, MOST = 10, 200, 25, 50, 2
MORE = 4  # connections: ten displays may all be with one process, and each opens its own for its first state
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('pump', 'live')"


@dataclass(frozen=True)
class Cost:
    """What 25 changes took: bytes out of Redis, connections to both servers."""

    sent: int
    connections: int


class OneReaderForAll(Experiment):
    slug = "one-reader-for-all"
    claim = (
        "What Redis sends for a change, and the connections to Redis and PostgreSQL, are the same for 10 "
        "displays and for 200."
    )
    holds = ("boards",)
    refuted = ("channels",)
    ratio = Series("times as many bytes out of Redis as for 10 displays")
    more = Series("connections more for 200 displays than for 10")
    chart = Chart(ratio, "times the bytes out of Redis for 10 displays", x="displays", bound=MOST)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        yield clock_starts()
        costs = []
        for count in (FEW, MANY):
            costs.append(cost := self.measured(stack, variant, count))
            yield self.ratio(cost.sent / costs[0].sent, x=count)
        yield self.more(costs[1].connections - costs[0].connections)

    def measured(self, stack: Stack, variant: str, count: int) -> Cost:
        with rooms(stack) as [room], displays([socket(stack, variant, room)] * count) as made:
            all_joined(made)
            rest(0.5)  # all have joined
            client = store(stack)
            before = client.info()["total_net_output_bytes"]
            with desk(lambda _: change(stack, variant, room), CHANGES, PER_SECOND) as done:
                until(done.is_set, PATIENCE_SECONDS)
            pumped(stack)
            for _ in settled(made, CHANGES, patience(self, variant)):
                pass
            after = client.info()["total_net_output_bytes"]
            others = [each for each in client.client_list() if each["name"] != OF_THE_EXPERIMENT]
            with psycopg.connect(stack.services["postgres"]) as connection:
                asking = number(connection, CONNECTIONS)
            return Cost(after - before, len(others) + asking)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured:.1f} times the bytes out of Redis for 200 displays as for 10, {bound} are allowed"
        ratio = Verdict.at_most(samples.last(self.ratio), MOST, words)
        words = "{measured} connections more, {bound} are allowed"
        return ratio & Verdict.at_most(samples.last(self.more), MORE, words)
