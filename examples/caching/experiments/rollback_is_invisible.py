"""Edits that are taken back, and a reader after each of them."""

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
)

from . import FROM_REDIS, PAGES, Database, Operator, page, url


class RollbackIsInvisible(Experiment):
    slug = "rollback-is-invisible"
    claim = "An edit that is rolled back, as a whole or to a savepoint, is never read and purges nothing."
    holds = ("layered",)
    refuted = ("signals",)
    computations = Series("computations after rolled-back edits")
    uncommitted = Series("reads of what was never committed")
    chart = Chart(computations, "computations of the same page", x="rolled-back edits", bound=0)
    parameters = (Parameter("edits", 10, 2, 50, "edits"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        uncommitted = 0
        with Database(stack) as database, Operator(stack) as operator:
            (code,) = database.codes(1)
            target = url(stack, variant, code)
            warm = page(target).body
            before = database.count(PAGES)
            for number in range(int(params["edits"])):
                operator.edit(code, ("preview", "partial")[number % 2])
                for headers in ({}, FROM_REDIS):
                    uncommitted += page(target, headers).body != warm
                yield self.uncommitted(uncommitted, x=number + 1)
                yield self.computations(database.count(PAGES) - before, x=number + 1)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        edits = len(samples.of(self.computations))
        words = f"{{measured}} computations after {edits} edits that were rolled back"
        read = "{measured} reads of what was never committed"
        return Verdict.at_most(samples.last(self.computations), 0, words) & Verdict.at_most(
            samples.last(self.uncommitted), 0, read
        )
