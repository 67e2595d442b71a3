"""Changes of a busy table, and who waits for their locks."""

import threading
import time
from collections.abc import Iterator
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
)

from . import PATIENCE_SECONDS, SHIFTED, connect


class WritersDoNotWait(Experiment):
    """Build an index on 1,000,000 rows under constant writes; add a column behind an open transaction.

    What is measured is how long the server saw anybody wait for a lock on the table, not how long an
    answer took: on a busy machine that would measure the machine.
    """

    slug = "writers-do-not-wait"
    claim = (
        "While an index and a constraint are made on 1,000,000 rows no writer waits 200 ms for a lock, and "
        "DDL behind a transaction of 3 s lets readers through after its lock timeout of 300 ms and half a "
        "second."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    index = Series("seconds", "waited for the index")
    constraint = Series("seconds", "waited for the constraint")
    column = Series("seconds", "waited for the column")
    written = Series("rows")
    done = Series("changes made")
    chart = Chart(column, "longest wait of a reader for a lock, seconds", bound=0.8)
    parameters = (Parameter("rows", 1_000_000, 400_000, 1_000_000, "rows"),)

    INDEX_SECONDS, COLUMN_SECONDS, HELD_SECONDS = 0.2, 0.8, 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        yield clock_starts()
        with connect(stack, autocommit=True) as connection:
            self._fill(connection, int(params["rows"]))
            try:
                for what, series in (("index", self.index), ("constraint", self.constraint)):
                    waits: list[tuple[float, float]] = []
                    with self._busy(stack, waits) as written:
                        stack.manage("alter", variant, what)
                    for moment, seconds in waits:
                        yield series(seconds, at=moment)
                    yield self.written(len(written))
                waits = []
                with self._busy(stack, waits), self._held(stack):
                    stack.manage("alter", variant, "column")
                for moment, seconds in waits:
                    yield self.column(seconds, at=moment)
                (done,) = connection.execute(
                    "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('busy_by_number')"
                    " AND indisvalid"
                ).fetchone() or (0,)
                (checked,) = connection.execute(
                    "SELECT count(*) FROM pg_constraint WHERE conrelid = 'busy'::regclass"
                    " AND conname = 'busy_flies' AND convalidated"
                ).fetchone() or (0,)
                (added,) = connection.execute(
                    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'busy'::regclass"
                    " AND attname = 'gate'"
                ).fetchone() or (0,)
                yield self.done(done + checked + added)
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

    @contextmanager
    def _busy(self, stack: Stack, waits: list[tuple[float, float]]) -> Iterator[list[int]]:
        """Write and read all the time, and note who waits for a lock, until the end of the block."""
        over = threading.Event()
        written: list[int] = []

        def work(statement: bytes) -> None:
            with psycopg.connect(
                stack.services["postgres"], application_name="worker", autocommit=True
            ) as connection:
                while not over.wait(0.005):
                    connection.execute(statement)
                    written.append(1)

        def watch() -> None:
            with connect(stack, autocommit=True) as connection:
                while not over.wait(0.02):
                    (longest,) = connection.execute(
                        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)"
                        " FROM pg_locks JOIN pg_stat_activity USING (pid)"
                        " WHERE NOT granted AND application_name = 'worker'"
                    ).fetchone() or (0,)
                    waits.append((time.monotonic(), float(longest)))

        insert = b"INSERT INTO busy (id, number, scheduled_departure) VALUES (0, 1, now())"
        jobs = [
            threading.Thread(target=work, args=(insert,), daemon=True),
            threading.Thread(target=work, args=(b"SELECT number FROM busy LIMIT 1",), daemon=True),
            threading.Thread(target=watch, daemon=True),
        ]
        for job in jobs:
            job.start()
        try:
            yield written
        finally:
            over.set()
            for job in jobs:
                job.join()

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
        samples.wait_for_end()  # the wait for the column comes last
        words = "readers waited {measured} s for the column, {bound} s allowed"
        column = Verdict.at_most(max(samples.values(self.column)), self.COLUMN_SECONDS, words)
        words = "writers {measured} s for the index, {bound} s allowed"
        index = Verdict.at_most(max(samples.values(self.index)), self.INDEX_SECONDS, words)
        words = "{measured} s for the constraint, {bound} s allowed"
        constraint = Verdict.at_most(
            max(samples.values(self.constraint)), self.INDEX_SECONDS, words
        )
        done = Verdict.at_least(samples.last(self.done), 3, "{measured} of {bound} changes made")
        words = "{measured} rows written meanwhile, at least {bound}"
        written = Verdict.at_least(min(samples.values(self.written)), 1, words)
        return (column & index).provided(constraint).provided(done).provided(written)
