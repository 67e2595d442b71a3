"""The workers are killed while they are at work."""

from collections.abc import Iterator
from functools import partial

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Sample,
    Samples,
    Stack,
    Verdict,
    clock_starts,
    until,
)

from . import (
    EFFECTS,
    EXTRA,
    WAITING,
    WORKER,
    Database,
    all_once,
    asking,
    counted,
    followed,
    submitted,
    working,
)


class NoJobIsLost(Experiment):
    slug = "no-job-is-lost"
    claim = (
        "Of 200 jobs all are done, each with one effect, although the workers are killed with all their "
        "processes after the 40th."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    effects = EFFECTS
    extra = EXTRA
    waiting = WAITING
    chart = Chart(effects, "jobs done", bound=200)
    live = (waiting,)
    parameters = (
        Parameter("jobs", 200, 50, 1000, "jobs"),
        Parameter("kill_after", 40, 5, 500, "jobs"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count, before = int(params["jobs"]), int(params["kill_after"])
        quick = asking(stack, variant)
        with Database(stack) as database:
            working(database, stack, variant)
            yield clock_starts()
            jobs = submitted([quick] * before)
            # Two that take their time, so that the workers are at work when they are killed.
            long = submitted([asking(stack, variant, {"seconds": 3})] * 2)
            jobs += long + submitted([quick] * (count - before - 2))
            yield from counted(database, jobs)
            if not until(partial(self._all_begun, database, long), 30):
                raise ExperimentError("the jobs that are to be interrupted did not begin")
            stack.kill(WORKER[variant])
            yield from counted(database, jobs)
            stack.start(WORKER[variant])
            yield from followed(database, stack, variant, jobs)

    @staticmethod
    def _all_begun(database: Database, jobs: list[str]) -> bool:
        return database.runs(jobs) == len(jobs)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        return all_once(samples, params["jobs"])
