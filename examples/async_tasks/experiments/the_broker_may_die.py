"""The broker is killed after a third of the submissions, which go on, and started a second later."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Undecided,
    Verdict,
    clock_starts,
    expect,
    rest,
    volley,
)

from . import (
    EFFECTS,
    EXTRA,
    WAITING,
    Database,
    accepted,
    all_once,
    asking,
    broker,
    counted,
    followed,
    working,
)


class TheBrokerMayDie(Experiment):
    slug = "the-broker-may-die"
    claim = (
        "Of 200 jobs that are asked for while the broker is killed and started again, all are done "
        "within 60 s of its return, once each, and nobody restarts a worker."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    needs = ("rabbitmq",)  # on Redis, Celery's worker does not always survive this
    effects = EFFECTS
    extra = EXTRA
    waiting = WAITING
    back = Series("broker's return")
    chart = Chart(effects, "jobs done", bound=200)
    live = (waiting,)
    parameters = (
        Parameter("jobs", 200, 50, 1000, "jobs"),
        Parameter("rate", 50, 10, 200, "jobs/s"),
        Parameter("away", 1, 1, 30, "s"),
    )

    WITHIN_SECONDS = 60.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["jobs"])
        requests = [asking(stack, variant, {"seconds": 0.02})] * count
        jobs: list[str] = []
        with Database(stack) as database:
            working(database, stack, variant)
            yield clock_starts()
            answers = volley(
                requests, processes=2, connections=40, rate=params["rate"], timeout_seconds=5
            )
            for number, answer in enumerate(answers, 1):
                if expect(answer, 202, 500, 0).status == 202:
                    jobs.append(accepted(answer))
                if number == count // 3:
                    with stack.killed(broker(stack)):
                        yield from counted(database, jobs)
                        rest(params["away"])
                    yield self.back(1)
                if number % 10 == 0:
                    yield from counted(database, jobs)
            yield from followed(database, stack, variant, jobs)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        once = all_once(samples, params["jobs"])
        [back] = samples.of(self.back) or [None]
        if back is None:
            raise Undecided("the broker is not back yet")
        took = max(0, samples.of(self.effects)[-1].seconds - back.seconds)
        words = "the last {measured} s after the broker's return, {bound} s allowed"
        return once & Verdict.at_most(took, self.WITHIN_SECONDS, words)
