"""Each retry counts from its own failure: a slow worker, which spreads failures, spreads no retries."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from uuid import UUID

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

from . import Database, asking, idle, submitted

# Of each job that has failed: when its retry began, and for when it was asked, in seconds after its first run
# began. The row of a job says so until it fails again, a task of Celery's own with its run.
RETRIES = """
    SELECT first.job_id,
        extract(epoch FROM second.started_at - first.started_at)::float,
        extract(epoch FROM
            coalesce(second.due_at, CASE job.failures WHEN 1 THEN job.due_at END) - first.started_at
        )::float
    FROM jobs_run AS first JOIN jobs_job AS job ON job.id = first.job_id
    LEFT JOIN jobs_run AS second ON second.job_id = job.id AND second.attempt = 2
    WHERE job.id = ANY (%s) AND first.attempt = 1
"""
WAITED = (
    "SELECT extract(epoch FROM max(started_at - created_at))::float FROM jobs_run"
    " JOIN jobs_job ON jobs_job.id = job_id WHERE job_id = ANY (%s) AND attempt = 1"
)
OTHER_SECONDS = 0.8  # more of them would be load of their own


class RetriesDoNotStampede(Experiment):
    slug = "retries-do-not-stampede"
    claim = (
        "60 jobs that fail together try again after 0 to 7 s, later by 2 s at most and as long as jobs wait "
        "for a worker; no second after the failure sees more than 22 of them."
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
        due: dict[UUID, float] = {}
        with idle(stack, variant) as database:
            yield clock_starts()
            jobs = submitted([asking(stack, variant, {"fault": "transient"}, quick=True)] * count)
            # How long a job waits for a worker is measured for as long as there are retries.
            others: list[str] = []
            asked_at = changed = time.monotonic()
            while seen < count:
                rest(0.2)
                now = time.monotonic()
                if now > asked_at + OTHER_SECONDS:
                    asked_at = now
                    others += submitted([asking(stack, variant, quick=True)])
                began = self._began(database, jobs, due)
                if len(began) > seen:
                    seen, changed = len(began), now
                    latest = max(began.values())
                    asked = sorted(min(at, due.get(job, at)) for job, at in began.items())
                    yield self.most(self._within_a_second(asked), x=latest)
                    yield self.latest(latest)
                    yield self.waited(database.number(WAITED, jobs + others))
                elif now > changed + params["base"] + 20:
                    raise ExperimentError(f"{seen} of {count} jobs tried again, and no more do")

    @staticmethod
    def _began(database: Database, jobs: list[str], due: dict[UUID, float]) -> dict[UUID, float]:
        """Return when each retry began that has, and note in *due* for when it was asked.

        A worker that has no processor for a while begins all at once that were due meanwhile: that is the
        machine's doing, and no stampede. So a retry is counted when it is due.
        """
        rows = database.rows(RETRIES, jobs)
        due |= {job: asked for job, _, asked in rows if asked is not None}
        return {job: began for job, began, _ in rows if began is not None}

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
            # Until a job has failed and is sent again, and until a worker takes it: as the machine has it.
            params["base"] + 2 + samples.last(self.waited, 0),
            "the latest {measured:.1f} s after the first run, {bound:.1f} s allowed",
        )
