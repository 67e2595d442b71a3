"""The broker is killed after a third of the submissions, which go on, and started a second later."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    expect,
    rest,
    volley,
)

from . import JobsAreDone, asking, idle, job


class TheBrokerMayDie(JobsAreDone):
    slug = "the-broker-may-die"
    claim = (
        "Of 200 jobs that are asked for while the broker is killed and started again, all are done "
        "within 60 s of its return, once each, and nobody restarts a worker."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    needs = ("rabbitmq",)  # on Redis, Celery's worker does not always survive this
    back = Series("brokers", "broker back")
    chart = Chart(JobsAreDone.done, "jobs done", bound=200)
    parameters = (
        Parameter("jobs", 200, 50, 1000, "jobs"),
        Parameter("rate", 50, 10, 200, "jobs/s"),
        Parameter("away", 1, 1, 30, "s"),
    )

    WITHIN_SECONDS = 60.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["jobs"])
        requests = [asking(stack, variant, {"seconds": 0.02})] * count
        clients = {"processes": 2, "connections": 40, "timeout_seconds": 5}
        jobs: list[str] = []
        with idle(stack, variant) as database:
            yield clock_starts()
            for number, answer in enumerate(volley(requests, rate=params["rate"], **clients), 1):
                if expect(answer, 202, 500, 0).status == 202:
                    jobs.append(job(answer))
                if number == count // 3:
                    with stack.killed("rabbitmq"):
                        yield self.counted(database, jobs)
                        rest(params["away"])
                    yield self.back(1)
                if number % 10 == 0:
                    yield self.counted(database, jobs)
            yield from self.followed(database, stack, variant, jobs)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        back, ended = samples.of(self.back)[0].seconds, samples.of(self.done)[-1].seconds
        return (
            Verdict.at_least(
                samples.last(self.done), params["jobs"], "{measured} of {bound} jobs done"
            )
            & Verdict.at_most(samples.last(self.twice), 0, "{measured} effects too many")
            & Verdict.at_most(
                max(0, ended - back),
                self.WITHIN_SECONDS,
                "the last {measured:.1f} s after the broker's return, {bound:.0f} s allowed",
            )
        )
