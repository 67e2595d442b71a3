"""Workers are asked to stop while they have a short and a long job; new ones are started."""

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


class DeploysLoseNothing(JobsAreDone):
    slug = "deploys-lose-nothing"
    claim = (
        "Workers that are asked to stop finish a job of 1 s, which is run once, and leave one of 5 s "
        "to the workers that come after them."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    runs = Series("runs", "runs of the short job")
    chart = Chart(JobsAreDone.done, "jobs done", bound=2)
    live = (runs,)
    parameters = (
        Parameter("short", 1, 0.5, 10, "s"),
        Parameter("long", 5, 4.5, 120, "s"),
    )

    JOBS = 2

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        asked = [asking(stack, variant, {"seconds": params[name]}) for name in ("long", "short")]
        with idle(stack, variant) as database:
            yield clock_starts()
            jobs = submitted(asked)
            if not until(lambda: database.runs(jobs) == len(jobs), 40, 0.01):
                raise ExperimentError("the jobs did not begin within 40 s")
            yield self.done(0)
            stack.stop(WORKER[variant])
            yield self.counted(database, jobs)
            stack.start(WORKER[variant])
            yield from self.followed(database, stack, variant, jobs)
            yield self.runs(database.runs(jobs[1:]))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        return (
            Verdict.at_least(samples.last(self.done), self.JOBS, "{measured} of {bound} jobs done")
            & Verdict.at_most(samples.last(self.twice), 0, "{measured} effects too many")
            & Verdict.exactly(
                samples.last(self.runs), 1, "the short one in {measured} of {bound} runs"
            )
        )
