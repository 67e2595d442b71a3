"""The workers are killed, and then asked to stop, both times while they are busy and many jobs wait."""

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

from . import WORKERS, Database, JobsAreDone, asking, idle, slow_workers, submitted, workers


class NoJobIsLost(JobsAreDone):
    slug = "no-job-is-lost"
    claim = (
        "Of 100 jobs, of which up to 25 share a message, all are done, each with one effect, although the "
        "workers are killed, and stopped as for a deploy; so are the 4 long jobs that were being run."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    asked = Series("jobs", "jobs asked for")
    begun = Series("jobs", "jobs interrupted")
    interrupted = Series("jobs", "interrupted jobs done")
    chart = Chart(interrupted, "interrupted jobs done", bound=4)
    live = (JobsAreDone.done,)
    parameters = (
        Parameter("jobs", 100, 50, 1000, "jobs"),
        Parameter("killed", 1, 1, 20, "s"),
        Parameter("stopped", 4, 4, 120, "s"),
    )

    BUSY = 2  # as many jobs as the workers have processes

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["jobs"])
        quick = [asking(stack, variant, quick=True)]
        jobs: list[str] = []
        interrupted: list[str] = []
        with idle(stack, variant) as database:
            yield clock_starts()
            yield self.interrupted(0)
            for end, ended, seconds in (
                (stack.kill, workers(variant), params["killed"]),
                (stack.stop, slow_workers(variant), params["stopped"]),
            ):
                long = asking(stack, variant, {"seconds": seconds})
                jobs += submitted(quick * (count // 4))
                busy = submitted([long] * self.BUSY)
                jobs += submitted(quick * (count // 4 - self.BUSY))
                if not until(lambda busy=busy: database.runs(busy) >= len(busy), 30, 0.02):  # type: ignore[misc]
                    raise ExperimentError("the jobs that are to be interrupted did not begin")
                interrupted += busy
                jobs += busy
                if variant not in WORKERS:  # of a reader's own, those that have begun something
                    ended = tuple(database.hosts(jobs) & {*ended}) or ended
                for worker in ended:
                    end(worker)
                database.hurry(busy)
                yield self.begun(len(interrupted))
                yield self.counted(database, jobs)
                for worker in ended:
                    stack.start(worker)
                if variant in self.refuted:
                    break  # what a deploy does to it is no better
                if variant not in WORKERS:
                    yield from self._ended(database, stack, variant, jobs, interrupted)
                    if database.done(jobs) < len(jobs):
                        return  # no better for a reader's own
            else:
                jobs += submitted(quick * (count - len(jobs)))
            yield from self._ended(database, stack, variant, jobs, interrupted)

    def _ended(
        self,
        database: Database,
        stack: Stack,
        variant: str,
        jobs: list[str],
        interrupted: list[str],
    ) -> Iterator[Sample]:
        """Yield how many jobs are done, and of those that were interrupted, until no more will be."""
        yield self.asked(len(jobs))
        for sample in self.followed(database, stack, variant, jobs):
            yield sample
            yield self.interrupted(database.done(interrupted))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        return (
            Verdict.at_least(
                samples.last(self.interrupted),
                samples.last(self.begun),
                "{measured} of {bound} interrupted jobs done",
            )
            & Verdict.at_least(
                samples.last(self.done), samples.last(self.asked), "{measured} of {bound} jobs done"
            )
            & Verdict.at_most(samples.last(self.twice), 0, "{measured} effects too many")
        )
