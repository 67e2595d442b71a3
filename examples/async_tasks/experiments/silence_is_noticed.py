"""Jobs given up, workers frozen, workers stopped: each time the health has to say so, and to recover."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    until,
)

from . import WORKER, Database, asking, submitted, working


class SilenceIsNoticed(Experiment):
    slug = "silence-is-noticed"
    claim = (
        "The health endpoint is red within 10 s when the workers are stopped, when they are frozen, "
        "and when jobs were given up."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    noticed = Series("s until the health was red, or nobody waited any longer")
    unnoticed = Series("faults without a sign")
    chart = Chart(noticed, "seconds until a fault is noticed", x="faults", mark="points", bound=10)
    parameters = (Parameter("within", 10, 5, 60, "s"),)

    GIVEN_UP = 3
    FAULTS = GIVEN_UP + 2

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        url = f"{stack.url}/api/{variant}/health/"
        with Database(stack) as database:
            working(database, stack, variant)
            database.resolve()
            seen = unnoticed = 0
            for count, fault in self._faults(database, stack, variant):
                if not until(lambda: ask(url).status == 200, 30, 0.1):
                    raise ExperimentError("the health is not green without a fault")
                with fault:
                    began = time.monotonic()
                    red = until(lambda: ask(url).status == 503, params["within"], 0.1)
                    took = time.monotonic() - began if red else params["within"]
                for _ in range(count):
                    seen += 1
                    unnoticed += not red
                    yield self.noticed(took, x=seen)
                yield self.unnoticed(unnoticed)
                if unnoticed:
                    return

    def _faults(
        self, database: Database, stack: Stack, variant: str
    ) -> list[tuple[int, AbstractContextManager[None]]]:
        """Return what happens, with how many of it there are: jobs given up first."""
        worker = WORKER[variant]
        return [
            (self.GIVEN_UP, self._given_up(database, stack, variant)),
            (1, stack.paused(worker)),
            (1, stack.stopped(worker)),
        ]

    @staticmethod
    @contextmanager
    def _given_up(database: Database, stack: Stack, variant: str) -> Iterator[None]:
        jobs = submitted(
            [asking(stack, variant, {"fault": "permanent"})] * SilenceIsNoticed.GIVEN_UP
        )
        if not until(lambda: database.runs(jobs) == len(jobs), 20):
            raise ExperimentError("the jobs that are to be given up did not begin")
        yield
        database.resolve()

    def judge(self, samples: Samples, params: Params) -> Verdict:
        noticed = samples.values(self.noticed)
        words = f"{{measured}} of {len(noticed)} faults without a sign in {params['within']:.0f} s"
        silent = Verdict.at_most(samples.last(self.unnoticed), 0, words)
        if not silent.holds:
            return silent
        samples.wait_for_end()
        words = "the slowest noticed after {measured} s, {bound} s allowed"
        slowest = Verdict.at_most(max(noticed), params["within"], words)
        return (silent & slowest).provided(
            Verdict.exactly(len(noticed), self.FAULTS, "{measured} of {bound} faults")
        )
