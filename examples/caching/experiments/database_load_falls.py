"""Reads of airports of which few are popular, first 10,000 of them, then 40,000 more."""

import random
from collections.abc import Iterator
from itertools import accumulate

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    expect,
    volley,
)

from . import PAGES, Database

BATCH = 100  # pages in a request


class DatabaseLoadFalls(Experiment):
    slug = "database-load-falls"
    claim = (
        "10,000 reads that follow Zipf's law over 28,403 airports read each airport that is drawn "
        "from the tables once; on the way to 50,000 reads only new ones are added."
    )
    holds = ("layered",)
    refuted = ("uncached",)
    read = Series("pages read from the tables")
    drawn = Series("airports drawn")
    chart = Chart(read, "pages read from the tables", x="reads")
    parameters = (
        Parameter("reads", 10_000, 2_000, 100_000, "reads"),
        Parameter("growth", 40_000, 0, 100_000, "more reads"),
        Parameter("exponent", 1.1, 0.8, 1.5, ""),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            database.purge_everything()
            codes = self._zipf(database.every_code(), params)
            first = int(params["reads"])
            before, done = database.count(PAGES), 0
            try:
                for part in (codes[:first], codes[first:]):
                    yield self.drawn(len(set(codes[: done + len(part)])))
                    for reads in self._reads(stack, variant, part):
                        yield self.read(database.count(PAGES) - before, x=done + reads)
                    done += len(part)
            finally:
                database.purge_everything()  # the next experiment may need a page that is cold

    @staticmethod
    def _zipf(codes: list[str], params: Params) -> list[str]:
        draw = random.Random(1)
        draw.shuffle(codes)
        weights = accumulate(rank ** -params["exponent"] for rank in range(1, len(codes) + 1))
        count = int(params["reads"] + params["growth"])
        return draw.choices(codes, cum_weights=list(weights), k=count)

    @staticmethod
    def _reads(stack: Stack, variant: str, codes: list[str]) -> Iterator[int]:
        """Read these airports; yield how many there were so far."""
        batches = [codes[n : n + BATCH] for n in range(0, len(codes), BATCH)]
        pages = f"{stack.url}/api/{variant}/pages/"
        requests = [Request(f"{pages}?codes={','.join(batch)}") for batch in batches]
        reads = 0
        # The rate is out of reach: with one, each answer is told at once, not with 24 others.
        answers = volley(requests, processes=2, connections=6, timeout_seconds=60, rate=10_000)
        for answer in answers:
            batch = batches[answer.request]
            if expect(answer, 200).body.count(b'"code"') != len(batch):
                raise ExperimentError("an answer lacks airports")
            reads += len(batch)
            yield reads

    def judge(self, samples: Samples, params: Params) -> Verdict:
        read, drawn = samples.last(self.read), samples.last(self.drawn)
        words = "{measured} pages read from the tables, {bound} airports were drawn"
        return Verdict.at_most(read, drawn, words)
