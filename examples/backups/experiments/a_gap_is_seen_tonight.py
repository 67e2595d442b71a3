"""A file of the log is lost from the backup during the day: what does the night say, and what comes back?"""

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
)

from . import (
    REFERENCES,
    at_the_keeper,
    begin,
    book,
    connect,
    keep,
    only_column,
    restored,
)

# Once the file that is written after it has begun to come, it is whole.
LOSE = """
import time
from django.core.management import call_command
log, end = folder / "log", time.monotonic() + 60
while not ((log / {name!r}).exists() and max(p.name[:24] for p in log.iterdir()) > {name!r}):
    assert time.monotonic() < end, "the log does not come"
    time.sleep(0.05)
(log / {name!r}).rename(folder / {name!r})
said = made() and good()
print(said)
if not said:
    (folder / {name!r}).rename(log / {name!r})
    call_command("tonight", name, "--report")
"""
NOW = "SELECT pg_walfile_name(pg_current_wal_lsn()), clock_timestamp()::text"


class AGapIsSeenTonight(Experiment):
    slug = "a-gap-is-seen-tonight"
    claim = "A file of the log that is lost from the backup is reported in the same night."
    holds = ("received",)
    refuted = ("archive_default",)
    hidden = Series("bookings that cannot come back although the night was good")
    reports = (
        (
            "pgbackrest/pgbackrest#1306",
            "a file of the log is gone from the archive, and the check is content",
            "each night all of the log is looked through, and replayed from the oldest base",
        ),
    )
    chart = Chart(hidden, "bookings lost in silence", mark="points")

    EACH, FILES = 100, 4

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        names = []
        with connect(stack) as connection:
            if not keep(stack, variant):
                raise ExperimentError("the night's backup was not made")
            for first in range(1, self.FILES * self.EACH, self.EACH):
                book(connection, first, first + self.EACH - 1)
                [[name, moment]] = connection.execute(NOW).fetchall()
                names.append(name)
                connection.execute("SELECT pg_switch_wal()")
            book(connection, 1_001, 1_001)  # a commit after the moment
            connection.execute("SELECT pg_switch_wal()")
        _, *whole = at_the_keeper(stack, LOSE.format(name=names[1]))
        if whole and '"good": true' not in whole[0]:
            raise ExperimentError("the night is bad without the fault, too")
        booked = {f"b{n}" for n in range(1, self.FILES * self.EACH + 1)}
        found = restored(stack, variant, REFERENCES, to=moment) if not whole else None
        lost = booked - (only_column(found[0]) if found else set())
        yield self.hidden(0 if whole else len(lost))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = (
            f"{{measured}} of {self.FILES * self.EACH} bookings do not come back after a good night"
        )
        return Verdict.at_most(samples.last(self.hidden), 0, words)
