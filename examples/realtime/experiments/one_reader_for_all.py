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
    PATIENCE_SECONDS,
    all_joined,
    change,
    desk,
    displays,
    number,
    pumped,
    rooms,
    settled,
    socket,
    store,
)

FEW, MANY, CHANGES, PER_SECOND, MOST = 10, 200, 25, 25, 2
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
    sent = Series("bytes that Redis sends for a change")
    ratio = Series("times as many bytes for 200 displays as for 10")
    more = Series("connections more for 200 displays than for 10")
    chart = Chart(sent, "bytes out of Redis for a change", x="displays")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        yield clock_starts()
        costs = []
        for count in (FEW, MANY):
            costs.append(cost := self.measured(stack, variant, count))
            yield self.sent(cost.sent / CHANGES, x=count)
        yield self.ratio(costs[1].sent / costs[0].sent)
        yield self.more(costs[1].connections - costs[0].connections)

    def measured(self, stack: Stack, variant: str, count: int) -> Cost:
        with rooms(stack) as [room], displays([socket(stack, variant, room)] * count) as made:
            all_joined(made)
            rest(1)  # all have joined
            client = store(stack)
            before = client.info()["total_net_output_bytes"]
            with desk(lambda _: change(stack, variant, room), CHANGES, PER_SECOND) as done:
                until(done.is_set, PATIENCE_SECONDS)
            pumped(stack)
            for _ in settled(made, CHANGES):
                pass
            after = client.info()
            with psycopg.connect(stack.services["postgres"]) as connection:
                asking = number(connection, CONNECTIONS)
            sent = after["total_net_output_bytes"] - before
            return Cost(sent, after["connected_clients"] + asking)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured:.1f} times the bytes out of Redis for 200 displays as for 10, {bound} are allowed"
        ratio = Verdict.at_most(samples.last(self.ratio), MOST, words)
        words = "{measured} connections more, {bound} are allowed"
        return ratio & Verdict.at_most(samples.last(self.more), MORE, words)
