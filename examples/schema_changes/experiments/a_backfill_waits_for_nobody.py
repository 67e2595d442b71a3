"""Fill a new column while one transaction keeps a row of it, and others write to the rows right below."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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
    clock_starts,
    rest,
)

from . import busy, connect, number, until_seen, used

ROWS, KEPT = 80_000, 40_000  # a row in the middle: whoever waits for it has locked half of them
BELOW = 4_000  # less than a batch: a batch that waits for that row has locked these, too
KEEP = f"UPDATE busy SET number = number WHERE id = {KEPT}"  # noqa: S608 -- from above
# One row: outside of a subquery, each row would be compared with a number of its own.
ANY = f"SELECT {KEPT - 1} - floor(random() * {BELOW})::int"
WRITE = f"UPDATE busy SET number = number WHERE id = ({ANY})".encode()  # noqa: S608
BEGUN = (
    "SELECT 1 WHERE EXISTS (SELECT FROM busy WHERE minutes IS NOT NULL)"
    " OR EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid')"
)
WRONG = "SELECT count(*) FROM busy WHERE minutes IS DISTINCT FROM departure_delay"


class ABackfillWaitsForNobody(Experiment):
    slug = "a-backfill-waits-for-nobody"
    claim = (
        "While a transaction keeps one of 80,000 rows for 3 s, the backfill makes no writer of other rows "
        "wait for 1 s, and ends with no row wrong."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    waited = Series("s that a writer waited for a lock, the longest so far")
    sent = Series("statements of the writers")
    wrong = Series("rows that are wrong after the backfill")
    chart = Chart(waited, "longest wait of a writer, seconds", bound=1)

    MOST_SECONDS, KEPT_SECONDS = 1, 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with connect(stack, autocommit=True) as connection, busy(connection, ROWS):
            connection.execute("ALTER TABLE busy ADD PRIMARY KEY (id)")
            yield clock_starts()
            with (
                connect(stack) as keeper,
                ThreadPoolExecutor(1) as pool,
                used(stack, (WRITE, WRITE), self.waited, self.sent) as seen,
            ):
                keeper.execute(KEEP.encode())
                filled = pool.submit(stack.manage, "alter", variant, "backfill")
                try:
                    if not until_seen(connection, BEGUN, filled):
                        raise ExperimentError("the backfill filled nothing, and waited for nobody")
                    rest(self.KEPT_SECONDS)
                finally:  # it may wait for this, and the pool for it
                    keeper.commit()
                filled.result()
            yield from seen
            yield self.wrong(number(connection, WRONG))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "a writer waited {measured:.2f} s, {bound} s are allowed"
        waited = Verdict.at_most(samples.last(self.waited), self.MOST_SECONDS, words)
        wrong = Verdict.at_most(samples.last(self.wrong), 0, "{measured} rows wrong")
        words = "{measured} statements sent meanwhile, at least {bound}"
        return waited & wrong & Verdict.at_least(samples.last(self.sent), 1, words)
