"""At first the other endpoint alone, then together with the submissions, all on one schedule."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    expect,
    percentile,
    until,
    volley,
)

from . import Database, asking, submitted


class RequestsStayFast(Experiment):
    slug = "requests-stay-fast"
    claim = (
        "While 50 jobs of 3 s are asked for and run, 95 % of the requests are answered within 150 ms "
        "and those for something else within 50 ms, or twice the time of an idle service if that is more."
    )
    holds = ("durable",)
    refuted = ("inline",)
    submission = Series("ms")
    idle = Series("ms")
    other = Series("ms")
    chart = Chart(
        submission, "milliseconds until a request is answered", mark="points", logarithmic=True
    )
    parameters = (
        Parameter("jobs", 50, 30, 200, "jobs"),
        Parameter("job_seconds", 3, 1, 20, "s"),
        Parameter("rate", 25, 10, 100, "jobs/s"),
    )

    BOUND_MS = 150.0
    OTHER_MS = 50.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        jobs, rate = int(params["jobs"]), 2 * params["rate"]
        # Each over a connection of its own: one that is kept would ask one server process all the time.
        url = f"{stack.url}/api/jobs/00000000-0000-0000-0000-000000000000/"
        other = Request(url, {"Connection": "close"})
        slow = asking(stack, variant, {"seconds": params["job_seconds"]})
        requests = [other] * jobs + [slow, other] * jobs
        with Database(stack) as database:
            # Server processes open their connections to the database first, and the workers rest after that.
            warm = submitted([asking(stack, "durable")] * 64)
            if not until(lambda: database.done(warm) == len(warm), 60):
                raise ExperimentError("the workers are busy without a reason")
            yield clock_starts()
            clients = {"processes": 2, "connections": 2 * jobs, "timeout_seconds": 60}
            for answer in volley(requests, rate=rate, **clients):
                milliseconds = answer.seconds * 1000
                if requests[answer.request] is slow:
                    expect(answer, 202)
                    yield self.submission(milliseconds, at=answer.received)
                else:
                    expect(answer, 404)
                    series = self.idle if answer.request < jobs else self.other
                    yield series(milliseconds, at=answer.received)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        p95 = {
            each.name: percentile(samples.values(each), 0.95)
            for each in (self.submission, self.idle, self.other)
        }
        # Where even an idle service is slow, the machine is busy with something else.
        idle = 2 * p95["idle"]
        return Verdict.at_most(
            p95["submission"],
            max(idle, self.BOUND_MS),
            "95 % answered within {measured:.0f} ms, {bound:.0f} ms allowed",
        ) & Verdict.at_most(
            p95["other"],
            max(idle, self.OTHER_MS),
            "those for something else within {measured:.0f} ms, {bound:.0f} ms allowed",
        )
