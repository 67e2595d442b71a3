"""Workers are asked to stop while they have a short and a long job; new ones are started."""

from collections.abc import Iterator

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
    followed,
    submitted,
    working,
)


class DeploysLoseNothing(Experiment):
    slug = "deploys-lose-nothing"
    claim = (
        "Workers that are asked to stop finish a job of 1 s, which is run once, and leave one of 5 s "
        "to the workers that come after them."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    effects = EFFECTS
    extra = EXTRA
    waiting = WAITING
    runs = Series("runs of the short job")
    chart = Chart(effects, "jobs done", bound=2)
    parameters = (
        Parameter("short", 1, 0.5, 10, "s"),
        Parameter("long", 5, 4.5, 120, "s"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            working(database, stack, variant)
            yield clock_starts()
            jobs = submitted(
                [asking(stack, variant, {"seconds": params[name]}) for name in ("long", "short")]
            )
            if not until(lambda: database.runs(jobs) == 2, 40, 0.01):
                raise ExperimentError("the jobs did not begin within 40 s")
            yield self.effects(0)
            stack.stop(WORKER[variant])
            yield self.effects(database.effects(jobs)[0])
            stack.start(WORKER[variant])
            yield from followed(database, stack, variant, jobs)
            yield self.runs(database.runs(jobs[1:]))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} run of the short one, {bound} expected"
        return all_once(samples, 2) & Verdict.exactly(samples.last(self.runs), 1, words)
