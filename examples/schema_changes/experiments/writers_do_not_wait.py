"""Add a column behind an open transaction; build an index on 1,000,000 rows under constant writes.

What is measured is how long the server saw anybody wait for a lock on the table, not how long an
answer took: on a busy machine that would measure the machine.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    rest,
)

from . import busy, connect, held, number, unsynced, used

INSERT = b"INSERT INTO busy (number, scheduled_departure) VALUES (1, now())"
READ = "SELECT number FROM busy LIMIT 1"
WAITS = "SELECT FROM pg_locks WHERE relation = 'busy'::regclass AND NOT granted"
DONE = (
    "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('busy_by_number') AND indisvalid",
    "SELECT count(*) FROM pg_constraint WHERE conrelid = 'busy'::regclass"
    " AND conname = 'busy_flies' AND convalidated",
    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'busy'::regclass AND attname = 'gate'",
)


class WritersDoNotWait(Experiment):
    slug = "writers-do-not-wait"
    claim = (
        "While an index and a constraint are made on 1,000,000 rows no writer waits 200 ms for a lock, and "
        "DDL behind a transaction of 3 s lets readers through after its lock timeout of 300 ms and half a "
        "second."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    for_the_column = Series("s that a reader waited for a lock, the longest so far")
    for_the_index = Series("s that a writer waited while the index was made")
    for_the_constraint = Series("s that a writer waited while the constraint was made")
    written = Series("statements of the clients")
    done = Series("changes made")
    chart = Chart(for_the_column, "longest wait of a reader, seconds", bound=0.8)
    reports = (
        (
            "margince/margince#1844",
            "migrations take an exclusive lock without `lock_timeout`: one idle transaction stops all",
            "each statement leaves the queue after 300 ms, and comes back",
        ),
    )
    parameters = (Parameter("rows", 1_000_000, 400_000, 1_000_000, "rows"),)

    INDEX_SECONDS, COLUMN_SECONDS, HELD_SECONDS = 0.2, 0.8, 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with (
            unsynced(stack),  # a statement keeps its lock until the disk has its commit
            connect(stack, autocommit=True) as connection,
            busy(connection, int(params["rows"])),
        ):
            yield clock_starts()
            with held(stack, READ, WAITS, self.HELD_SECONDS):
                yield from self._altered(stack, variant, "column", self.for_the_column)
            yield from self._altered(stack, variant, "index", self.for_the_index)
            yield from self._altered(stack, variant, "constraint", self.for_the_constraint)
            yield self.done(sum(number(connection, query) for query in DONE))

    def _altered(self, stack: Stack, variant: str, what: str, series: Series) -> Iterator[Sample]:
        """Make one change under writes, and yield the waits while they last."""
        with (
            used(stack, (INSERT, READ.encode()), series, self.written) as seen,
            ThreadPoolExecutor(1) as pool,
        ):
            change = pool.submit(stack.manage, "alter", variant, what)
            while not change.done():
                rest(0.05)
                while seen:
                    yield seen.pop(0)
            change.result()
        yield from seen

    def judge(self, samples: Samples, params: Params) -> Verdict:
        verdict = Verdict.at_most(
            samples.last(self.for_the_column),
            self.COLUMN_SECONDS,
            "a reader waited {measured:.2f} s behind the column, {bound} s are allowed",
        )
        for series, what in (
            (self.for_the_index, "index"),
            (self.for_the_constraint, "constraint"),
        ):
            words = f"a writer {{measured:.2f}} s for the {what}, {{bound}} s are allowed"
            if seen := samples.values(series):
                verdict &= Verdict.at_most(seen[-1], self.INDEX_SECONDS, words)
        if not verdict.holds:
            return verdict
        words = "{measured} of {bound} changes made"
        made = Verdict.exactly(samples.last(self.done), 3, words)
        least = min(samples.values(self.written))
        return (
            verdict
            & made
            & Verdict.at_least(least, 1, "{measured} statements sent meanwhile, at least {bound}")
        )
