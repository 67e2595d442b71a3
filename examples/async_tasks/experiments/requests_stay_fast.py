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
        "While 50 jobs of 1.5 s are asked for and run, at most 5 of 100 requests, half of them for something "
        "else, wait more than 150 ms for their answer, or more than twice as long as on an idle service."
    )
    holds = ("durable",)
    refuted = ("inline",)
    late = Series("requests", "requests answered late")
    slowest = Series("ms", "milliseconds of the slowest answer")
    chart = Chart(late, "requests answered late", x="requests answered", bound=5)
    live = (slowest,)
    parameters = (
        Parameter("jobs", 50, 30, 200, "jobs"),
        Parameter("job_seconds", 1.5, 1, 20, "s"),
        Parameter("rate", 25, 10, 100, "jobs/s"),
    )

    MOST = 5
    LATE_SECONDS = 0.150

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        jobs, rate = int(params["jobs"]), 2 * params["rate"]
        # Each over a connection of its own: one that is kept would ask one server process all the time.
        url = f"{stack.url}/api/jobs/00000000-0000-0000-0000-000000000000/"
        other = Request(url, {"Connection": "close"})
        slow = asking(stack, variant, {"seconds": params["job_seconds"]})
        clients = {"processes": 2, "connections": 2 * jobs, "timeout_seconds": 60}
        late, slowest = 0, 0.0
        with Database(stack) as database:
            # Server processes open their connections to the database first, and the workers rest after that.
            warm = submitted([asking(stack, "durable")] * 64)
            if not until(lambda: database.done(warm) == len(warm), 60):
                raise ExperimentError("the workers are busy without a reason")
            idle = [answer.seconds for answer in volley([other] * jobs, rate=rate, **clients)]
            # Where even an idle service is slow, the machine is busy with something else.
            allowed = max(self.LATE_SECONDS, 2 * percentile(idle, 0.95))
            yield clock_starts()
            answers = volley([slow, other] * jobs, rate=rate, **clients)
            for number, answer in enumerate(answers, 1):
                expect(answer, 404 if answer.request % 2 else 202)
                late += answer.seconds > allowed
                slowest = max(slowest, answer.seconds)
                yield self.late(late, at=answer.received, x=number)
                yield self.slowest(slowest * 1000, at=answer.received)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        slowest = samples.last(self.slowest, 0)
        return Verdict.at_most(
            samples.last(self.late),
            self.MOST,
            f"{{measured}} requests answered late, {{bound}} allowed, the slowest after {slowest:.0f} ms",
        )
