"""One job behind 40 that are due later, and then a quick one behind 60 that are not."""

import time
from collections.abc import Iterator

from redis import Redis

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
    ask,
    clock_starts,
    rest,
    until,
)

from . import Database, asking, idle, job, submitted

APART = (
    "SELECT extract(epoch FROM max(started_at) - min(started_at)) FROM jobs_run"
    " WHERE job_id = ANY (%s)"
)
WAITED = (
    "SELECT extract(epoch FROM min(started_at) - created_at)::float FROM jobs_run"
    " JOIN jobs_job ON jobs_job.id = job_id WHERE job_id = %s GROUP BY created_at"
)


class DelayedJobsDoNotBlock(Experiment):
    slug = "delayed-jobs-do-not-block"
    claim = (
        "A job that is due now begins within 1 s behind 40 that were asked for before it and are due later, "
        "and so does a quick one behind 60 that take 0.2 s each."
    )
    holds = ("durable", "django_tasks")
    refuted = ("fire_and_forget",)
    waited = Series("s", "seconds that a job has waited")
    chart = Chart(waited, "seconds that a job has waited", mark="points", bound=1)
    parameters = (
        Parameter("delayed", 40, 10, 200, "jobs"),
        Parameter("delay", 6, 4, 60, "s"),
        Parameter("bulk", 60, 50, 2000, "jobs"),
    )

    BOUND_SECONDS = 1.0
    MOST_SECONDS = 20.0  # after which nobody waits for a job any more

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        later = asking(stack, variant, delay_seconds=params["delay"])
        bulk = asking(stack, variant, {"seconds": 0.2})
        with idle(stack, variant) as database:
            self._wait_idle(database, stack, variant)
            yield clock_starts()
            try:
                submitted([later] * int(params["delayed"]))
                yield from self._begun(database, job(ask(asking(stack, variant))))
                submitted([bulk] * int(params["bulk"]))
                quick = job(ask(asking(stack, variant, quick=True)))
                yield from self._begun(database, quick)
            finally:
                if variant not in self.holds:
                    self._empty(stack)

    @staticmethod
    def _wait_idle(database: Database, stack: Stack, variant: str) -> None:
        """Return once two jobs have begun together, and are done: nothing keeps a worker busy."""
        for _ in range(60):
            jobs = submitted([asking(stack, variant, {"seconds": 0.4})] * 2)
            if not until(lambda jobs=jobs: database.done(jobs) == 2, 20, 0.02):  # type: ignore[misc]
                break
            if database.number(APART, jobs) < 0.3:
                return
        raise ExperimentError("the workers are busy without a reason")

    def _begun(self, database: Database, asked: str) -> Iterator[Sample]:
        """Yield how long the job has waited, until it begins; a run that is refuted is closed meanwhile."""
        since = time.monotonic()
        while (waiting := time.monotonic() - since) < self.MOST_SECONDS:
            if found := database.rows(WAITED, asked):
                yield self.waited(max(0, found[0][0]))
                return
            yield self.waited(waiting)
            rest(0.1)

    @staticmethod
    def _empty(stack: Stack) -> None:
        """Leave nothing in the queue for which the next claim would wait; in RabbitMQ nothing is left."""
        if "redis" in stack.services:
            with Redis.from_url(stack.services["redis"]) as server:
                server.delete("celery")

    def judge(self, samples: Samples, params: Params) -> Verdict:
        waited = max(samples.values(self.waited), default=0)
        return Verdict.at_most(
            waited, self.BOUND_SECONDS, "a job waits for {measured:.2f} s, {bound:.0f} s allowed"
        )
