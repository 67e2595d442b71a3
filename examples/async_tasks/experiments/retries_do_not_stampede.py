"""Each retry counts from its own failure: a slow worker, which spreads failures, spreads no retries."""

import math
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
    Undecided,
    Verdict,
    rest,
)

from . import Database, asking, submitted, working


class RetriesDoNotStampede(Experiment):
    slug = "retries-do-not-stampede"
    claim = (
        "100 jobs that fail together try again after 0 to 12 s and at most 1 s more, "
        "and no second after the failure sees more than 30 of them."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    delay = Series("s after the failure")
    retries = Series("retries")
    chart = Chart(retries, "retries", x="second after the failure", mark="bars", bound=30)
    parameters = (Parameter("jobs", 100, 50, 500, "jobs"), Parameter("base", 12, 1, 60, "s"))

    MOST = 30

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["jobs"])
        runs = (
            "SELECT extract(epoch FROM second.started_at - first.started_at)"
            " FROM jobs_run AS first JOIN jobs_run AS second"
            " ON second.job_id = first.job_id AND first.attempt = 1 AND second.attempt = 2"
            " WHERE first.job_id = ANY (%s) ORDER BY second.started_at"
        )
        with Database(stack) as database:
            working(database, stack, variant)
            jobs = submitted([asking(stack, variant, {"fault": "transient"})] * count)
            seen = 0
            deadline = time.monotonic() + params["base"] + 10
            while seen < count and time.monotonic() < deadline:
                rest(0.2)
                found = database.rows(runs, jobs)
                for (delay,) in found[seen:]:
                    yield self.delay(float(delay))
                    yield self.retries(1, x=math.floor(delay))
                seen = len(found)
            if seen < count:
                raise ExperimentError(f"{seen} of {count} jobs tried again in time")

    def judge(self, samples: Samples, params: Params) -> Verdict:
        delays = samples.values(self.delay)
        if not delays:
            raise Undecided("nothing was tried again yet")
        most = max(sum(delay <= other < delay + 1 for other in delays) for delay in delays)
        words = f"{{measured}} of {len(delays)} retries within a second, {{bound}} allowed"
        crowd = Verdict.at_most(most, self.MOST, words)
        words = "the last after {measured} s, {bound} s allowed"
        return crowd & Verdict.at_most(max(delays), params["base"] + 1, words)
