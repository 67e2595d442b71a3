"""The workers are killed twice, each time while all their processes are busy, and many jobs wait."""

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

from . import WORKERS, JobsAreDone, asking, idle, submitted


class NoJobIsLost(JobsAreDone):
    slug = "no-job-is-lost"
    claim = (
        "Of 200 jobs, of which up to 50 share a message, all are done, each with one effect, although all "
        "workers are killed twice; so are the 4 long jobs that were being run."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    interrupted = Series("jobs", "interrupted jobs done")
    chart = Chart(interrupted, "interrupted jobs done", bound=4)
    live = (JobsAreDone.done,)
    parameters = (
        Parameter("jobs", 200, 50, 1000, "jobs"),
        Parameter("seconds", 2, 1, 20, "s"),
    )

    KILLS = 2
    BUSY = 2  # as many jobs as the workers have processes

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["jobs"])
        quick = [asking(stack, variant, quick=True)]
        long = [asking(stack, variant, {"seconds": params["seconds"]})] * self.BUSY
        jobs: list[str] = []
        interrupted: list[str] = []
        with idle(stack, variant) as database:
            yield clock_starts()
            yield self.interrupted(0)
            for _ in range(self.KILLS):
                jobs += submitted(quick * (count // 8))
                busy = submitted(long)
                jobs += submitted(quick * (count // 8))
                if not until(lambda busy=busy: database.runs(busy) >= len(busy), 30, 0.02):  # type: ignore[misc]
                    raise ExperimentError("the jobs that are to be interrupted did not begin")
                interrupted += busy
                for worker in WORKERS[variant]:
                    stack.kill(worker)
                yield self.counted(database, jobs)
                for worker in WORKERS[variant]:
                    stack.start(worker)
            jobs += interrupted
            jobs += submitted(quick * (count - len(jobs)))
            for sample in self.followed(database, stack, variant, jobs):
                yield sample
                yield self.interrupted(database.done(interrupted))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        return (
            Verdict.at_least(
                samples.last(self.interrupted),
                self.KILLS * self.BUSY,
                "{measured} of {bound} interrupted jobs done",
            )
            & Verdict.at_least(
                samples.last(self.done), params["jobs"], "{measured} of {bound} jobs done"
            )
            & Verdict.at_most(samples.last(self.twice), 0, "{measured} effects too many")
        )
