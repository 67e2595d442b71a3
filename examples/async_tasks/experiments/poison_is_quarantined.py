"""One job among good ones kills the process that runs it, each time."""

import time
from collections.abc import Iterator

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
    ask,
    clock_starts,
    rest,
    until,
)

from . import Database, asking, idle, job, patience, submitted


class PoisonIsQuarantined(Experiment):
    slug = "poison-is-quarantined"
    claim = (
        "A job that kills its process is run four times and no more, leaves one dead letter with the reason, "
        "keeps none of 50 good jobs that share its message from being done, and is done once it is replayed."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    letters = Series("dead letters with a reason")
    runs = Series("runs of the poison")
    good = Series("good jobs done")
    replayed = Series("jobs done after the replay")
    chart = Chart(letters, "dead letters with a reason", bound=1)
    live = (good, runs)
    parameters = (Parameter("good", 50, 10, 500, "jobs"),)

    RUNS = 4

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        half = int(params["good"]) // 2
        with idle(stack, variant) as database:
            yield clock_starts()
            good = submitted([asking(stack, variant, quick=True)] * half)
            poison = job(ask(asking(stack, variant, {"fault": "crash"}, quick=True)))
            good += submitted([asking(stack, variant, quick=True)] * half)
            yield self.letters(0)
            yield from self._followed(database, variant, good, poison)
            if self._letters(database, poison):
                seconds = patience(database, variant, good, False)
                until(lambda: database.done(good) == len(good), seconds)
                yield self.good(database.done(good))
                # It takes a second, in which there might be another run, or letter, than there should be.
                stack.manage("jobs", poison, "--replay", "--arguments", '{"drill": {}}')
                until(lambda: database.done([poison]), 60)
                yield self.runs(database.runs([poison]) - database.effects([poison]))
                yield self.letters(self._letters(database, poison))
            yield self.replayed(database.effects([poison]))

    def _followed(
        self, database: Database, variant: str, good: list[str], poison: str
    ) -> Iterator[Sample]:
        """Yield what has become of the jobs, until there is a dead letter, or none can come.

        It has had what it gets when the good jobs around it are done, and it was begun.
        """
        seen, changed = (-1, -1), time.monotonic()
        while not (letters := self._letters(database, poison)):
            now = database.done(good), database.runs([poison])
            if now != seen:
                seen, changed = now, time.monotonic()
                yield self.good(now[0])
                yield self.runs(now[1])
            after = now[0] == len(good) and now[1] > 0
            if time.monotonic() - changed > patience(database, variant, [poison], after):
                break
            rest(0.1)
        yield self.letters(letters)

    @staticmethod
    def _letters(database: Database, poison: str) -> int:
        query = "SELECT count(*) FROM jobs_deadletter WHERE job_id = %s AND reason <> ''"
        return int(database.number(query, poison))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        return (
            Verdict.exactly(samples.last(self.letters), 1, "{measured} of {bound} dead letters")
            & Verdict.exactly(
                samples.last(self.runs), self.RUNS, "run {measured:time}, {bound} expected"
            )
            & Verdict.at_least(
                samples.last(self.good), params["good"], "{measured} of {bound} good jobs done"
            )
            & Verdict.exactly(
                samples.last(self.replayed), 1, "{measured} of {bound} done after a replay"
            )
        )
