"""The claims of this example, and what they share: connections, and one busy table.

Nothing here is judged by a stopwatch except how long the server saw somebody wait for a lock: statements,
rows, migrations and indexes are counted.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from nexus.experiment import ExperimentError, Sample, Series, Stack

CLAIMS = (
    "old-code-keeps-working",
    "every-migration-goes-back",
    "a-restart-loses-no-step",
    "writers-do-not-wait",
    "a-backfill-waits-for-nobody",
    "a-failed-build-is-found",
)
BEGINS_AS = "in_place"  # exercises/mine.py, where a reader begins

PATIENCE_SECONDS = 60  # on a busy machine; tells "answered" from "hung"
# The flights as often as it takes for so many rows, each time so many years earlier.
BUSY = sql.SQL("""
CREATE UNLOGGED TABLE busy WITH (autovacuum_enabled = off) AS
SELECT row_number() OVER () AS id, number,
    scheduled_departure - years * interval '1 year' AS scheduled_departure,
    departure_delay, distance_miles, NULL::smallint AS minutes
FROM flights_flight, generate_series(0, {} / (SELECT count(*) FROM flights_flight)) AS years LIMIT {}
""")


@contextmanager
def connect(stack: Stack, **more: Any) -> Iterator[psycopg.Connection[Any]]:
    """Connect until the end of the block.

    Raises:
        ExperimentError: the database refuses something. What a reader wrote may have changed anything.
    """
    address = stack.services["postgres"]
    try:
        with psycopg.connect(address, application_name="experiment", **more) as connection:
            yield connection
    except psycopg.Error as error:
        raise ExperimentError(f"the database refused: {error}".splitlines()[0]) from error


@contextmanager
def unsynced(stack: Stack) -> Iterator[None]:
    """Let the kernel write to the disk when it likes, until the end of the block.

    A process that dies loses nothing that the kernel has; to wait for the disk would measure the machine.
    """
    with connect(stack, autocommit=True) as connection:
        _set_fsync(connection, "SET fsync = off")
    try:
        yield
    finally:
        with connect(stack, autocommit=True) as connection:
            _set_fsync(connection, "RESET fsync")


def _set_fsync(connection: psycopg.Connection[Any], how: LiteralString) -> None:
    connection.execute(f"ALTER SYSTEM {how}")
    connection.execute("SELECT pg_reload_conf()")


def number(connection: psycopg.Connection[Any], query: str, *args: object) -> int:
    """Return the one number that `query` answers."""
    row = connection.execute(query.encode(), args).fetchone()
    if row is None:
        raise ExperimentError(f"no row from: {query}")
    return int(row[0])


@contextmanager
def busy(connection: psycopg.Connection[Any], rows: int) -> Iterator[None]:
    """Make the table `busy`, and drop it at the end.

    An autovacuum would be one more who holds it, whenever its minute comes: there is none.
    """
    connection.execute("DROP TABLE IF EXISTS busy")
    connection.execute(BUSY.format(rows, rows))
    try:
        yield
    finally:
        connection.execute("DROP TABLE IF EXISTS busy")


def until_seen(
    connection: psycopg.Connection[Any], query: str, run: Future[str] | None = None
) -> bool:
    """Return whether `query` has had a row before the patience, or the run that it waits for, was over.

    A run that failed raises what it failed with.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        over = run is not None and run.done()
        if connection.execute(query.encode()).fetchone() is not None:
            return True
        if run is not None and over:
            run.result()
            return False
        time.sleep(0.02)
    return False


WAITING = b"""
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND application_name = 'worker'
"""


@contextmanager
def used(
    stack: Stack, statements: Sequence[bytes], waited: Series, sent: Series
) -> Iterator[list[Sample]]:
    """Send each statement all the time, and note the longest wait for a lock, until the end of the block."""
    over = threading.Event()
    seen: list[Sample] = []
    faults: list[psycopg.Error] = []
    counts = [0] * len(statements)

    def work(place: int) -> None:
        address = stack.services["postgres"]
        try:
            with psycopg.connect(address, application_name="worker", autocommit=True) as connection:
                while not over.wait(0.005):
                    connection.execute(statements[place])
                    counts[place] += 1
        except psycopg.Error as error:
            faults.append(error)

    def watch() -> None:
        longest = 0.0
        with connect(stack, autocommit=True) as connection:
            while not over.wait(0.02):
                row = connection.execute(WAITING).fetchone()
                longest = max(longest, float(row[0]) if row else 0)
                seen.append(waited(longest))

    jobs = [threading.Thread(target=watch, daemon=True)]
    jobs += [threading.Thread(target=work, args=(n,), daemon=True) for n in range(len(statements))]
    for job in jobs:
        job.start()
    try:
        yield seen
    finally:
        over.set()
        for job in jobs:
            job.join()
        seen.append(sent(sum(counts)))
    if faults:
        raise ExperimentError(f"a client's statement failed: {faults[0]}".splitlines()[0])


@contextmanager
def held(stack: Stack, statement: str, waits: str, seconds: float) -> Iterator[None]:
    """Keep a transaction open after `statement`, until `seconds` after the query `waits` has had a row.

    Counted from the first who waits: how long a command takes to start is the machine's matter.
    """
    begun = threading.Event()

    def hold() -> None:
        with connect(stack) as connection, connect(stack, autocommit=True) as watching:
            connection.execute(statement.encode())
            begun.set()
            until_seen(watching, waits)
            time.sleep(seconds)

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    if not begun.wait(PATIENCE_SECONDS):
        raise ExperimentError("the transaction that is to be waited for did not begin")
    try:
        yield
    finally:
        holder.join()
