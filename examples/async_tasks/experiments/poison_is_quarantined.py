"""A job that kills its process, between good ones."""

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

from . import GONE, PATIENCE, Database, accepted, asking, submitted, working


class PoisonIsQuarantined(Experiment):
    slug = "poison-is-quarantined"
    claim = (
        "A job that kills its process is run four times and no more, leaves one dead letter with the reason, "
        "keeps none of 50 good jobs from being done, and is done once it is mended and replayed."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    good = Series("good jobs done")
    runs = Series("runs of the poison")
    letters = Series("dead letters with a reason")
    replayed = Series("1 if done after the replay")
    chart = Chart(letters, "dead letters with a reason")
    live = (good, runs)
    parameters = (Parameter("good", 50, 10, 500, "jobs"),)

    LIMIT = 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["good"])
        with Database(stack) as database:
            working(database, stack, variant)
            yield clock_starts()
            good = submitted([asking(stack, variant)] * (count // 2))
            poison = accepted(ask(asking(stack, variant, {"fault": "crash"})))
            good += submitted([asking(stack, variant)] * (count - count // 2))

            def letters() -> int:
                return database.number(
                    "SELECT count(*) FROM jobs_deadletter WHERE job_id = %s AND reason <> ''",
                    poison,
                )

            # A naive one has had all it gets when the good jobs around the poison are done, and it was begun.
            seen, changed = (-1, -1), time.monotonic()
            yield self.letters(0)
            while not letters():
                quiet = time.monotonic() - changed
                now = database.effects(good)[0], database.runs([poison])
                if now != seen:
                    seen, changed = now, time.monotonic()
                    yield self.good(now[0])
                    yield self.runs(now[1])
                gone = variant not in self.holds and seen[0] == count and seen[1] > 0
                if quiet > (GONE if gone else PATIENCE):
                    break
                rest(0.1)
            yield self.letters(letters())
            until(lambda: database.effects(good)[0] == count, PATIENCE)
            yield self.good(database.effects(good)[0])
            rest(1)  # for another run, or letter, than there should be
            yield self.runs(database.runs([poison]))
            yield self.letters(letters())
            done = False
            if letters():
                stack.manage("jobs", "replay", poison, "--arguments", '{"drill": {}}')
                done = until(lambda: database.effects([poison]) == (1, 1), 10)
            yield self.replayed(done)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        letters = Verdict.exactly(
            samples.last(self.letters), 1, "{measured} of {bound} dead letters with a reason"
        )
        runs = Verdict.exactly(
            samples.last(self.runs),
            self.LIMIT + 1,
            "{measured} runs of the poison, {bound} expected",
        )
        good = Verdict.exactly(
            samples.last(self.good), params["good"], "{measured} of {bound} good jobs done"
        )
        words = "{measured} of {bound} done after a replay"
        return letters & runs & good & Verdict.exactly(samples.last(self.replayed), 1, words)
