"""Somebody drops a table: it has to come back as it was a moment before."""

from collections.abc import Iterator

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
    until,
)

from . import PATIENCE_SECONDS, begin, book, connect, keep, number, restored

REPLAYED = """
SELECT bool_and(replay_lsn >= pg_current_wal_lsn())::int FROM pg_stat_replication
WHERE application_name = 'replica' HAVING count(*) > 0 UNION ALL SELECT 1
"""


class AReplicaIsNoBackup(Experiment):
    slug = "a-replica-is-no-backup"
    claim = "A table of 10,000 rows is dropped by mistake: all of its rows come back as of the moment before."
    holds = ("received",)
    refuted = ("replica",)
    gone = Series("rows that do not come back")
    chart = Chart(gone, "rows that do not come back", mark="points")

    ROWS = 10_000

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        with connect(stack) as connection:
            book(connection, 1, self.ROWS)
            connection.execute("CREATE TABLE season AS SELECT * FROM flights_booking")
            if not keep(stack, variant):
                raise ExperimentError("the night's backup was not made")
            if not until(lambda: rows(stack, variant) == self.ROWS, PATIENCE_SECONDS):
                raise ExperimentError("before the mistake its rows did not come back either")
            [[before]] = connection.execute("SELECT clock_timestamp()::text").fetchall()
            connection.execute("DROP TABLE season")
            if not until(lambda: number(connection, REPLAYED), PATIENCE_SECONDS):
                raise ExperimentError("the replica does not follow")
        yield self.gone(self.ROWS - rows(stack, variant, before))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {self.ROWS:,} rows do not come back"
        return Verdict.at_most(samples.last(self.gone), 0, words)


def rows(stack: Stack, variant: str, moment: str = "") -> int:
    """Return how many rows of the table come back."""
    found = restored(stack, variant, "SELECT count(*) FROM season", to=moment)
    return int(found[0][0][0]) if found else 0
