"""A crowd misses, and the same crowd hits: what is left of the time is waiting for nothing."""

from collections.abc import Generator, Iterator
from statistics import median

from nexus.experiment import (
    Answer,
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
    percentile,
    volley,
)

from . import ALTERNATES, Database, page, url

MOST_MS = 300
SHARE = 0.99


class OneComputePerMiss(Experiment):
    slug = "one-compute-per-miss"
    claim = (
        "200 readers who miss at once in 4 server processes cause one computation, and 99 of 100 have "
        "its result within 300 ms of what one computation and as many hits take (median of 3 crowds)."
    )
    holds = ("layered",)
    refuted = ("cache_page", "get_or_set")
    computations = Series("computations")
    alone = Series("ms of a computation that nobody disturbs")
    miss = Series("ms until 99 of 100 readers of a cold page had it")
    hit = Series("ms until 99 of 100 readers of the same page had it again")
    chart = Chart(computations, "computations of one page", x="readers answered")
    parameters = (
        Parameter("readers", 200, 100, 400, "readers"),
        Parameter("crowds", 3, 1, 9, "crowds"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            for _ in range(int(params["crowds"])):
                cold, other = database.codes(2)
                alone = page(url(stack, "uncached", other, "alternates/"))
                yield self.alone(1000 * alone.seconds)
                crowd = [Request(url(stack, variant, cold, "alternates/"))] * int(params["readers"])
                if (yield from self._miss(database, crowd)) > 1:
                    return  # refuted, however long it took
                yield self.hit(self._milliseconds(list(self._sent(crowd))))

    @staticmethod
    def _sent(crowd: list[Request]) -> Iterator[Answer]:
        for answer in volley(crowd, processes=2, connections=100, timeout_seconds=60):
            yield expect(answer, 200)

    @staticmethod
    def _milliseconds(answers: list[Answer]) -> float:
        return 1000 * percentile([answer.seconds for answer in answers], SHARE)

    def _miss(self, database: Database, crowd: list[Request]) -> Generator[Sample, None, int]:
        """Return how many computations there were."""
        before = database.count(ALTERNATES)
        answers: list[Answer] = []
        count = 0
        for answer in self._sent(crowd):
            answers.append(answer)
            if len(answers) % 10 == 0 or len(answers) == len(crowd):
                count = database.count(ALTERNATES) - before
                yield self.computations(count, x=len(answers))
        if (bodies := len({answer.body for answer in answers})) != 1:
            raise ExperimentError(f"the crowd got {bodies} different answers")
        if not count:
            raise ExperimentError("the crowd got a page that nobody computed")
        yield self.miss(self._milliseconds(answers))
        return count

    def judge(self, samples: Samples, params: Params) -> Verdict:
        computed = Verdict.at_most(
            max(samples.values(self.computations), default=0),
            1,
            f"{{measured:computation}} for {params['readers']:.0f} readers, {{bound}} is allowed",
        )
        if not computed.holds:
            return computed
        samples.wait_for_end()
        miss, hit, alone = (
            median(samples.values(each)) for each in (self.miss, self.hit, self.alone)
        )
        words = (
            "99 of 100 readers waited {measured:.0f} ms longer than one computation and as many hits "
            "take, {bound} ms are allowed"
        )
        return computed & Verdict.at_most(max(0, miss - hit - alone), MOST_MS, words)
