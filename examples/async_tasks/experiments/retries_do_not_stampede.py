"""Each retry counts from its own failure: a slow worker, which spreads failures, spreads no retries."""

import time
from bisect import bisect_left
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
    rest,
)

from . import asking, idle, submitted

DELAYS = """
    SELECT extract(epoch FROM second.started_at - first.started_at)
    FROM jobs_run AS first JOIN jobs_run AS second
        ON second.job_id = first.job_id AND first.attempt = 1 AND second.attempt = 2
    WHERE first.job_id = ANY (%s)
    ORDER BY second.started_at
"""
WAITED = (
    "SELECT extract(epoch FROM max(started_at) - min(created_at))::float FROM jobs_run"
    " JOIN jobs_job ON jobs_job.id = job_id WHERE job_id = ANY (%s) AND attempt = 1"
)


class RetriesDoNotStampede(Experiment):
    slug = "retries-do-not-stampede"
    claim = (
        "60 jobs that fail together try again after 0 to 7 s, and at most 2 s later or as long as their "
        "first runs waited; no second after the failure sees more than 22 of them."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    most = Series("retries", "retries within a second")
    latest = Series("s", "seconds after the failure")
    waited = Series("s", "seconds that the first runs waited")  # of a machine that is busy
    chart = Chart(most, "most retries within a second", x="seconds after the failure", bound=22)
    live = (latest,)
    parameters = (Parameter("jobs", 60, 50, 500, "jobs"), Parameter("base", 7, 1, 60, "s"))

    MOST = 22  # a second gets 8 or 9 in the mean; more than 22 in one run of some thousand

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count, seen = int(params["jobs"]), 0
        delays: list[float] = []
        with idle(stack, variant) as database:
            yield clock_starts()
            jobs = submitted([asking(stack, variant, {"fault": "transient"}, quick=True)] * count)
            deadline = time.monotonic() + params["base"] + 20
            while seen < count:
                rest(0.2)
                delays = sorted(float(delay) for (delay,) in database.rows(DELAYS, jobs))
                if len(delays) > seen:
                    seen = len(delays)
                    yield self.most(self._within_a_second(delays), x=delays[-1])
                    yield self.latest(delays[-1])
                    yield self.waited(database.number(WAITED, jobs))
                if time.monotonic() > deadline:
                    raise ExperimentError(f"{seen} of {count} jobs tried again in time")

    @staticmethod
    def _within_a_second(delays: list[float]) -> int:
        """Return how many of the sorted *delays* lie within the fullest second."""
        return max(bisect_left(delays, one + 1) - place for place, one in enumerate(delays))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        return Verdict.at_most(
            samples.last(self.most),
            self.MOST,
            "{measured} retries within a second, {bound} allowed",
        ) & Verdict.at_most(
            samples.last(self.latest, 0),
            params["base"] + max(2, samples.last(self.waited, 0)),
            "the latest {measured:.1f} s after the failure, {bound:.0f} s allowed",
        )
