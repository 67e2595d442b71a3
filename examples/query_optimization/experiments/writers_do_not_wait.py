"""Add a column behind an open transaction; build an index on 1,000,000 rows under constant writes.

What is measured is how long the server saw anybody wait for a lock on the table, not how long an
answer took: on a busy machine that would measure the machine.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
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

from . import PATIENCE_SECONDS, SHIFTED, connect, number

WAITING = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND application_name = 'worker'
"""
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
    for_the_column = Series("s that a reader waited for a lock")
    for_the_index = Series("s that a writer waited while the index was made")
    for_the_constraint = Series("s that a writer waited while the constraint was made")
    written = Series("statements of the clients")
    done = Series("changes made")
    chart = Chart(for_the_column, "seconds that a reader waits for a lock", bound=0.8)
    parameters = (Parameter("rows", 1_000_000, 400_000, 1_000_000, "rows"),)

    INDEX_SECONDS, COLUMN_SECONDS, HELD_SECONDS = 0.2, 0.8, 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with connect(stack, autocommit=True) as connection:
            self._fill(connection, int(params["rows"]))
            yield clock_starts()
            try:
                with self._held(stack):
                    yield from self._altered(stack, variant, "column", self.for_the_column)
                yield from self._altered(stack, variant, "index", self.for_the_index)
                yield from self._altered(stack, variant, "constraint", self.for_the_constraint)
                yield self.done(sum(number(connection, query) for query in DONE))
            finally:
                connection.execute("DROP TABLE busy")

    def _fill(self, connection: psycopg.Connection[Any], rows: int) -> None:
        connection.execute("DROP TABLE IF EXISTS busy")
        years = sql.SQL(" UNION ALL ").join(SHIFTED.format(year=year) for year in range(3))
        # An autovacuum would be one more who holds the table, whenever its minute comes.
        create = sql.SQL(
            "CREATE UNLOGGED TABLE busy WITH (autovacuum_enabled = off) AS {} LIMIT {}"
        )
        connection.execute(create.format(years, rows))

    def _altered(self, stack: Stack, variant: str, what: str, series: Series) -> Iterator[Sample]:
        """Make one change under writes, and yield the waits while they last."""
        with self._busy(stack, series) as seen, ThreadPoolExecutor(1) as pool:
            change = pool.submit(stack.manage, "alter", variant, what)
            while not change.done():
                rest(0.05)
                while seen:
                    yield seen.pop(0)
            change.result()
        yield from seen

    @contextmanager
    def _busy(self, stack: Stack, series: Series) -> Iterator[list[Sample]]:
        """Write and read all the time, and note who waits for a lock, until the end of the block."""
        over = threading.Event()
        seen: list[Sample] = []
        written = [0]

        def work(statement: bytes) -> None:
            address = stack.services["postgres"]
            with psycopg.connect(address, application_name="worker", autocommit=True) as connection:
                while not over.wait(0.005):
                    connection.execute(statement)
                    written[0] += 1

        def watch() -> None:
            with connect(stack, autocommit=True) as connection:
                while not over.wait(0.02):
                    row = connection.execute(WAITING).fetchone()
                    seen.append(series(float(row[0]) if row else 0))

        insert = b"INSERT INTO busy (id, number, scheduled_departure) VALUES (0, 1, now())"
        jobs = [
            threading.Thread(target=work, args=(insert,), daemon=True),
            threading.Thread(target=work, args=(b"SELECT number FROM busy LIMIT 1",), daemon=True),
            threading.Thread(target=watch, daemon=True),
        ]
        for job in jobs:
            job.start()
        try:
            yield seen
        finally:
            over.set()
            for job in jobs:
                job.join()
            seen.append(self.written(written[0]))

    @contextmanager
    def _held(self, stack: Stack) -> Iterator[None]:
        """Keep a transaction open that has read the table, until somebody has waited for it so long.

        Counted from the first who waits: how long a command takes to start is the machine's matter.
        """
        reading = threading.Event()

        def hold() -> None:
            with connect(stack) as connection:
                connection.execute("SELECT number FROM busy LIMIT 1")
                reading.set()
                deadline = time.monotonic() + PATIENCE_SECONDS
                while (
                    time.monotonic() < deadline
                    and not connection.execute(
                        "SELECT 1 FROM pg_locks WHERE relation = 'busy'::regclass AND NOT granted"
                    ).fetchone()
                ):
                    time.sleep(0.02)
                time.sleep(self.HELD_SECONDS)

        holder = threading.Thread(target=hold, daemon=True)
        holder.start()
        if not reading.wait(PATIENCE_SECONDS):
            raise ExperimentError("the transaction that is to be waited for did not begin")
        try:
            yield
        finally:
            holder.join()

    def judge(self, samples: Samples, params: Params) -> Verdict:
        verdict = Verdict.at_most(
            max(samples.values(self.for_the_column)),
            self.COLUMN_SECONDS,
            "a reader waited {measured:.2f} s behind the column, {bound} s are allowed",
        )
        for series, what in (
            (self.for_the_index, "index"),
            (self.for_the_constraint, "constraint"),
        ):
            words = f"a writer {{measured:.2f}} s for the {what}, {{bound}} s are allowed"
            if seen := samples.values(series):
                verdict &= Verdict.at_most(max(seen), self.INDEX_SECONDS, words)
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
