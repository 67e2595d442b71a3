"""The workers are killed while they have two jobs that take their time, and many that wait."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    ExperimentError,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    until,
)

from . import WORKER, JobsAreDone, asking, idle, submitted


class NoJobIsLost(JobsAreDone):
    slug = "no-job-is-lost"
    claim = (
        "Of 200 jobs all are done, each with one effect, although the workers are killed with all their "
        "processes after the 40th; so are those that were being run."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    interrupted = Series("jobs", "interrupted jobs done")
    chart = Chart(JobsAreDone.done, "jobs done", bound=200)
    live = (interrupted,)
    parameters = (
        Parameter("jobs", 200, 50, 1000, "jobs"),
        Parameter("kill_after", 40, 5, 500, "jobs"),
    )

    INTERRUPTED = 2  # as many as the workers have processes

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count, before = int(params["jobs"]), int(params["kill_after"])
        quick = asking(stack, variant)
        with idle(stack, variant) as database:
            yield clock_starts()
            jobs = submitted([quick] * before)
            long = submitted([asking(stack, variant, {"seconds": 3})] * self.INTERRUPTED)
            jobs += long + submitted([quick] * (count - before - len(long)))
            if not until(lambda: database.runs(long) == len(long), 30):
                raise ExperimentError("the jobs that are to be interrupted did not begin")
            yield self.counted(database, jobs)
            stack.kill(WORKER[variant])
            yield self.counted(database, jobs)
            stack.start(WORKER[variant])
            yield from self.followed(database, stack, variant, jobs)
            yield self.interrupted(database.done(long))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        return (
            Verdict.at_least(
                samples.last(self.interrupted),
                self.INTERRUPTED,
                "{measured} of {bound} interrupted jobs done",
            )
            & Verdict.at_least(
                samples.last(self.done), params["jobs"], "{measured} of {bound} jobs done"
            )
            & Verdict.at_most(samples.last(self.twice), 0, "{measured} effects too many")
        )
