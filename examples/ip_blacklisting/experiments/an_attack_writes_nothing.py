"""Refusing is reading: it costs the database and Redis nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from redis import Redis

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    UnexpectedAnswer,
    Verdict,
    rest,
    until,
    volley,
)

from . import (
    IDLE,
    KNOWN_SECONDS,
    Operator,
    commands,
    processes_that,
    refused,
    sent_by,
    served,
    some_address,
    url,
)


class AnAttackWritesNothing(Experiment):
    slug = "an-attack-writes-nothing"
    claim = "1,000 refused requests write nothing, neither to PostgreSQL nor to Redis."
    holds = ("shield",)
    refuted = ("blocklist_package",)
    writes = Series("transactions and commands that wrote")
    refused = Series("answers")
    chart = Chart(writes, "writes", x="refused requests", bound=10)
    parameters = (Parameter("requests", 1000, 100, 10_000, "refused requests"),)

    # Of a thousand: what the service does by itself meanwhile.
    SPARE = 0.01

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        target, banned = url(stack, variant), some_address()
        operator.ban(banned)
        for _ in processes_that(refused, target, sent_by(banned), KNOWN_SECONDS):
            yield self.writes(0, x=0)
        with (
            Redis.from_url(stack.services["redis"]) as store,
            psycopg.connect(stack.services["postgres"], autocommit=True) as database,
            no_housekeeping(database),
        ):
            before = settled(lambda: commands(store, IDLE) + transactions(database))
            requests = [Request(target, sent_by(banned))] * int(params["requests"])
            for number, answer in enumerate(volley(requests, processes=2, connections=4), 1):
                if served(answer):
                    raise UnexpectedAnswer("a banned client was served")
                if number % 100 == 0:
                    writes = commands(store, IDLE) + transactions(database) - before
                    yield self.refused(number)
                    yield self.writes(writes, x=number)
                    if writes > params["requests"] / 5:  # far beyond what a server does by itself
                        return
            writes = commands(store, IDLE) + transactions(database) - before
            yield self.writes(writes, x=params["requests"])

    def judge(self, samples: Samples, params: Params) -> Verdict:
        refused = samples.last(self.refused)
        words = f"{{measured}} writes for {refused:,.0f} refused requests, {{bound}} allowed"
        return Verdict.at_most(samples.last(self.writes), self.SPARE * params["requests"], words)


def settled(count: Callable[[], int]) -> int:
    """Return a count once it has stood still: what was served before is still being scored."""
    end = time.monotonic() + 10
    before = count()
    while time.monotonic() < end:
        rest(0.5)
        if (now := count()) == before:
            return now
        before = now
    raise ExperimentError("something writes all the time")


@contextmanager
def no_housekeeping(database: "psycopg.Connection") -> Iterator[None]:
    """Keep autovacuum away: after a million rules it writes about each of their tables for itself."""
    database.execute("ALTER SYSTEM SET autovacuum = off")
    try:
        database.execute("SELECT pg_reload_conf()")
        worker = "SELECT FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"
        until(lambda: not database.execute(worker).fetchall(), 30)
        yield
    finally:
        database.execute("ALTER SYSTEM RESET autovacuum")
        database.execute("SELECT pg_reload_conf()")


def transactions(database: "psycopg.Connection") -> int:
    """Return how many transactions have written: only those get a number."""
    query = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    row = database.execute(query).fetchone()
    return int(row[0]) if row else 0
