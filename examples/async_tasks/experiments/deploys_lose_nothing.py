"""Workers are asked to stop while they have long jobs and a short one; new ones are started."""

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

from . import NAIVE, WORKERS, JobsAreDone, asking, idle, submitted


class DeploysLoseNothing(JobsAreDone):
    slug = "deploys-lose-nothing"
    claim = (
        "Workers that are asked to stop leave two jobs of 5 s to the workers that come after them, which do "
        "both once, and finish a quick one of 1 s, which is run once."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    runs = Series("runs", "runs of the short job")
    chart = Chart(JobsAreDone.done, "long jobs done", bound=2)
    live = (runs,)
    parameters = (
        Parameter("short", 1, 0.5, 10, "s"),
        Parameter("long", 5, 4.5, 120, "s"),
    )

    LONG = 2  # as many as the workers have processes

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        long = [asking(stack, variant, {"seconds": params["long"]})] * self.LONG
        short = [asking(stack, variant, {"seconds": params["short"]}, quick=True)]
        with idle(stack, variant) as database:
            yield clock_starts()
            jobs = submitted(long)
            if not until(lambda: database.runs(jobs) == self.LONG, 40, 0.01):
                raise ExperimentError("the jobs did not begin within 40 s")
            yield self.done(0)
            if variant != NAIVE:  # whose one queue is busy
                quick = submitted(short)
                until(lambda: database.runs(quick) == 1, 10, 0.01)
                stack.stop("quick")
                yield self.runs(database.runs(quick) if database.done(quick) else 0)
            worker = WORKERS[variant][0]
            stack.stop(worker)
            yield self.counted(database, jobs)
            stack.start(worker)
            yield from self.followed(database, stack, variant, jobs)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        return (
            Verdict.at_least(
                samples.last(self.done), self.LONG, "{measured} of {bound} long jobs done"
            )
            & Verdict.at_most(samples.last(self.twice), 0, "{measured} effects too many")
            & Verdict.exactly(
                samples.last(self.runs, 0), 1, "the short one done in {measured} of {bound} runs"
            )
        )
