"""A backup that is cut off, one with a flipped bit, one without the roles: what does each night say?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    rest,
    until,
)

from . import PATIENCE_SECONDS, SUM, begin, book, connect, night, number, restored

# A dump in the middle of the bookings, or a base backup at any place.
CUT = """
SELECT pg_terminate_backend(pid) FROM (
    SELECT pid FROM pg_stat_progress_copy
    WHERE relid = 'flights_booking'::regclass AND tuples_processed > 5000
    UNION SELECT pid FROM pg_stat_progress_basebackup
) AS under_way
"""
ATTEMPTS = 10  # a small backup may be made between two looks
# In the middle of the largest file that is no log.
FLIP = """
files = [p for p in folder.rglob("*") if p.is_file() and not {"log", "pg_wal"} & {*p.parts}]
largest = max(files, key=lambda p: p.stat().st_size)
with largest.open("r+b") as file:
    file.seek(largest.stat().st_size // 2)
    byte = file.read(1)[0]
    file.seek(-1, 1)
    file.write(bytes([byte ^ 1]))
"""
DROP = "DO $$ BEGIN DROP OWNED BY auditor; DROP ROLE auditor; EXCEPTION WHEN undefined_object THEN END $$"
GRANT = "CREATE ROLE auditor; GRANT SELECT ON flights_booking TO auditor"
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
ROLE = "SELECT count(*), '' FROM information_schema.table_privileges WHERE grantee = 'auditor'"


class ABackupCountsOnceRestored(Experiment):
    slug = "a-backup-counts-once-restored"
    claim = (
        "A backup that is cut off, one with a flipped bit, one without the roles: each is called bad in the "
        "same night, unless it restores everything."
    )
    holds = ("received",)
    refuted = ("nightly_dump",)
    nights = Series("nights")
    wrong = Series("nights that said the wrong thing")
    reports = (
        (
            "Archmonger/django-dbbackup#211",
            "a restore that fails says that it is done",
            "each night a restored server is compared with the live one, table by table",
        ),
        (
            "AmbitionEng/django-pgclone#38",
            "pg_dump fails in a pipe, and an empty dump is kept as if it were one",
            "a backup that was cut off has no name, and the night is bad",
        ),
    )
    chart = Chart(wrong, "nights that said the wrong thing", x="nights", mark="points")

    ROWS = 80_000

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with connect(stack) as connection:
            connection.execute(DROP)
            begin(stack, variant)
            book(connection, 1, self.ROWS)
            wrong = 0
            for night, (query, good) in enumerate(faulty(stack, connection), 1):
                # What was damaged is not whole; of what may be, only a restore can tell.
                whole = (good or night == 3) and same(stack, variant, connection, query)
                wrong += good is not whole
                yield self.wrong(wrong, x=night)
                yield self.nights(night)
            connection.execute(DROP)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} of 3 nights said the wrong thing"
        wrong = Verdict.at_most(samples.last(self.wrong), 0, words)
        if not wrong.holds:
            return wrong
        seen = Verdict.exactly(
            samples.last(self.nights), 3, "{measured} of {bound} nights are over"
        )
        return wrong.provided(seen)


def same(stack: Stack, variant: str, connection: psycopg.Connection[Any], query: str) -> bool:
    """Whether the restored server answers as the live one does."""
    found = restored(stack, variant, query)
    live = connection.execute(query.encode()).fetchall()
    return found is not None and [tuple(row) for row in found[0]] == live


def faulty(stack: Stack, connection: psycopg.Connection[Any]) -> Iterator[tuple[str, bool]]:
    """Yield for each night what is to be asked of the restored server, and whether it is called good."""
    yield SUM, cut(stack, connection)
    yield SUM, night(stack, between=FLIP)
    connection.execute(GRANT)
    with connect(stack) as booker, ThreadPoolExecutor(1) as pool:
        booker.execute("BEGIN; LOCK TABLE flights_booking IN ROW EXCLUSIVE MODE")  # a slow booking
        under_way = pool.submit(night, stack, before=FLIP)  # back again
        until(lambda: under_way.done() or number(connection, WAITS), PATIENCE_SECONDS)
        rest(0.7)
        booker.execute("ROLLBACK")
    yield ROLE, under_way.result()


def cut(stack: Stack, connection: psycopg.Connection[Any]) -> bool:
    """End the server's side of the backup in its middle; return whether the night is said to be good."""
    for _ in range(ATTEMPTS):
        ended = False
        with ThreadPoolExecutor(1) as pool:
            making = pool.submit(night, stack)
            while not making.done():
                ended = bool(connection.execute(CUT).fetchall()) or ended
                rest(0.001)
        if ended:
            return making.result()
    raise ExperimentError("the backup was made before it could be cut off")
