"""Change a room 500 times while its displays, Redis and a process are cut, paused and killed."""

import json
from collections.abc import Iterator

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
    ask,
    clock_starts,
    rest,
    until,
)

from . import (
    PATIENCE_SECONDS,
    Display,
    all_joined,
    change,
    cut_off,
    desk,
    displays,
    rooms,
    socket,
    store,
)

CLIENTS, CHANGES, PER_SECOND = 100, 500, 100
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pump'"


class NothingIsLostOnTheWay(Experiment):
    slug = "nothing-is-lost-on-the-way"
    claim = (
        "Of 500 changes, 100 displays hear each once and in order, though each is cut three times, Redis is "
        "paused, its connections are cut five times, the pump loses PostgreSQL and tells a change twice, and "
        "one of four processes is killed."
    )
    holds = ("boards",)
    refuted = ("channels_pubsub", "channels")
    missed = Series("changes that a display was not told of, all displays together")
    twice = Series("changes told twice or out of order")
    whole = Series("displays that have all")
    killed = Series("processes killed")
    reports = (
        (
            "django/channels#1683",
            "messages to a group are dropped where clients disconnect and connect again",
            "a display comes back with its position, and hears what it has missed",
        ),
    )
    chart = Chart(missed, "changes not told, 100 displays together", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack) as [room], displays([socket(stack, variant, room)] * CLIENTS) as made:
            all_joined(made)
            yield clock_starts()
            with desk(lambda _: change(stack, variant, room), CHANGES, PER_SECOND) as done:
                for fault in range(10):
                    rest(0.3)
                    yield from self.hurt(stack, made, fault)
                    yield from self.seen(made)
                until(done.is_set, PATIENCE_SECONDS)
            yield from self.seen(made)
            until(lambda: all(each.seq == CHANGES for each in made), PATIENCE_SECONDS)
            yield from self.seen(made, rest=True)

    def hurt(self, stack: Stack, made: list[Display], fault: int) -> Iterator[Sample]:
        """Cut a third of the displays, and something else."""
        for each in made[fault % 3 :: 3] if fault < 9 else ():
            each.cut()
        client = store(stack)
        if fault % 2:
            cut_off(client)
        elif fault == 2:
            with psycopg.connect(stack.services["postgres"]) as connection:
                connection.execute(CUT)
        elif fault == 4:
            with stack.paused("redis"):
                rest(1)
        elif fault == 6:
            # One of those that share the port.
            process = json.loads(ask(f"{stack.services['live']}/healthz").body)["process"]
            stack.manage("shell", "--command", f"import os; os.kill({process}, 9)", of="live")
            yield self.killed(1)
        elif fault == 8:
            # As a pump does that ended before its commit.
            for _, told in client.xrevrange("boards", count=1):
                client.xadd("boards", told)

    def seen(self, made: list[Display], *, rest: bool = False) -> Iterator[Sample]:
        left = sum(CHANGES - each.seq for each in made) if rest else 0
        yield self.missed(sum(each.missed for each in made) + left)
        yield self.twice(sum(each.twice for each in made))
        yield self.whole(sum(each.heard == CHANGES for each in made))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} of 50,000 changes not told"
        missed = Verdict.at_most(samples.last(self.missed), 0, words)
        twice = Verdict.at_most(
            samples.last(self.twice), 0, "{measured} told twice or out of order"
        )
        words = "{measured} of {bound} displays have all"
        whole = Verdict.exactly(samples.last(self.whole), CLIENTS, words)
        killed = Verdict.exactly(
            samples.last(self.killed, 0), 1, "{measured} of {bound} process killed"
        )
        if not missed.holds:
            return missed
        samples.wait_for_end()
        return (missed & twice).provided(whole).provided(killed)
