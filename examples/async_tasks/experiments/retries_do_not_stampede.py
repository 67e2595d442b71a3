"""Each retry counts from its own failure: a slow worker, which spreads failures, spreads no retries."""

import time
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


class RetriesDoNotStampede(Experiment):
    slug = "retries-do-not-stampede"
    claim = (
        "100 jobs that fail together try again after 0 to 12 s and at most 1 s more, "
        "and no second after the failure sees more than 30 of them."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    retry = Series("retries", "retries")
    chart = Chart(retry, "retries within a second", x="seconds after the failure", mark="bars")
    parameters = (Parameter("jobs", 100, 50, 500, "jobs"), Parameter("base", 12, 1, 60, "s"))

    MOST = 30

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count, seen = int(params["jobs"]), 0
        with idle(stack, variant) as database:
            yield clock_starts()
            jobs = submitted([asking(stack, variant, {"fault": "transient"})] * count)
            deadline = time.monotonic() + params["base"] + 10
            while seen < count:
                rest(0.2)
                delays = [float(delay) for (delay,) in database.rows(DELAYS, jobs)]
                for delay in delays[seen:]:
                    yield self.retry(1, x=delay)
                seen = len(delays)
                if time.monotonic() > deadline:
                    raise ExperimentError(f"{seen} of {count} jobs tried again in time")

    def judge(self, samples: Samples, params: Params) -> Verdict:
        delays = [each.x or 0.0 for each in samples.of(self.retry)]
        most = max((sum(one <= other < one + 1 for other in delays) for one in delays), default=0)
        return Verdict.at_most(
            most, self.MOST, "{measured} retries within a second, {bound} allowed"
        ) & Verdict.at_most(
            max(delays, default=0),
            params["base"] + 1,
            "the latest {measured:.1f} s after the failure, {bound:.0f} s allowed",
        )
