"""Restore to moments between two commits, and compare with the bookings that were committed by then."""

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

from . import REFERENCES, at_the_keeper, begin, book, connect, keep, only_column, restored

GUESS = """
from django.core.management import call_command
for moment in "2100-01-01T00:00:00+00:00", "2001-01-01T00:00:00+00:00", "2026-11-29 02:59":
    call_command("restore", name, "--report", "--to", moment)
call_command("restore", name, "--report", "--into", str(folder))  # which is not empty
"""


class BackToTheMinuteBefore(Experiment):
    slug = "back-to-the-minute-before"
    claim = "A restore to a named moment has exactly the bookings that were committed by then."
    holds = ("received",)
    refuted = ("nightly_dump",)
    otherwise = Series("bookings missing, or there too early")
    restores = Series("moments restored")
    chart = Chart(
        otherwise, "bookings not as at that moment", x="bookings since the night", mark="points"
    )

    AT_NIGHT, SINCE, MOMENTS = 500, 60, (20, 40)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        moments = []
        with connect(stack) as connection:
            book(connection, 1, self.AT_NIGHT)
            if not keep(stack, variant):
                raise ExperimentError("the night's backup was not made")
            for since in range(1, self.SINCE + 1):
                book(connection, self.AT_NIGHT + since, self.AT_NIGHT + since)
                if since in self.MOMENTS:
                    [[now]] = connection.execute("SELECT clock_timestamp()::text").fetchall()
                    moments.append((since, now))
            keep(stack, variant)  # a newer one, which is of no use for a moment before it
        otherwise = 0
        for number, (since, moment) in enumerate(moments, 1):
            committed = {f"b{n}" for n in range(1, self.AT_NIGHT + since + 1)}
            found = restored(stack, variant, REFERENCES, to=moment)
            otherwise += len(committed ^ (only_column(found[0]) if found else set()))
            yield self.otherwise(otherwise, x=since)
            yield self.restores(number)
        # No log reaches these, or they are two moments: no server is better than a guess.
        guessed = at_the_keeper(stack, GUESS)
        yield self.otherwise(
            otherwise + len([each for each in guessed if '"good": true' in each]), x=self.SINCE
        )

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured:booking} not as at that moment"
        otherwise = Verdict.at_most(samples.last(self.otherwise), 0, words)
        if not otherwise.holds:
            return otherwise
        words = "{measured} of {bound} moments restored"
        return otherwise & Verdict.exactly(samples.last(self.restores), len(self.MOMENTS), words)
