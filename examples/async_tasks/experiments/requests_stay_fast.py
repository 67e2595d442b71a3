"""At first another endpoint alone, then together with the submissions, all on one schedule."""

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
    """At first the other endpoint alone, then together with the submissions, all on one schedule."""

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
        submission,
        "milliseconds until a request is answered",
        "points",
        logarithmic=True,
    )
    parameters = (
        Parameter("jobs", 50, 30, 200, "jobs"),
        Parameter("job_seconds", 3, 1, 20, "s"),
        Parameter("rate", 25, 10, 100, "jobs/s"),
    )

    SHARE = 0.95
    BOUND_MS = 150.0
    OTHER_MS = 50.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        jobs, rate = int(params["jobs"]), params["rate"]
        # Each over a connection of its own: one that is kept would ask one server process all the time.
        url = f"{stack.url}/api/jobs/00000000-0000-0000-0000-000000000000/"
        other = Request(url, {"Connection": "close"})
        slow = asking(stack, variant, {"seconds": params["job_seconds"]})
        with Database(stack) as database:
            # Server processes open their connections to the database first, and the workers rest after that.
            warm = submitted([asking(stack, "durable")] * 64)
            if not until(lambda: database.effects(warm)[0] == len(warm), 60):
                raise ExperimentError("the workers are busy without a reason")
            yield clock_starts()
            asked = [other] * jobs + [slow, other] * jobs
            for answer in volley(
                asked, processes=2, connections=2 * jobs, rate=2 * rate, timeout_seconds=60
            ):
                if asked[answer.request] is slow:
                    series, status = self.submission, 202
                else:
                    series, status = self.idle if answer.request < jobs else self.other, 404
                expect(answer, status)
                yield series(answer.seconds * 1000, at=answer.received)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        taken, other = samples.values(self.submission), samples.values(self.other)
        idle = percentile(samples.values(self.idle), self.SHARE)
        # Where even an idle service is slow, the machine is busy with something else.
        bound = max(2 * idle, self.BOUND_MS)
        if sum(each > bound for each in taken) <= (1 - self.SHARE) * params["jobs"]:
            samples.wait_for_end()  # faster ones may come yet
        words = "95 % of the requests answered within {measured} ms, {bound} allowed"
        submissions = Verdict.at_most(percentile(taken, self.SHARE), bound, words)
        words = f"those for something else within {{measured}} ms, {{bound}} allowed, idle {idle:.0f} ms"
        most = max(2 * idle, self.OTHER_MS)
        return submissions & Verdict.at_most(percentile(other, self.SHARE), most, words)
