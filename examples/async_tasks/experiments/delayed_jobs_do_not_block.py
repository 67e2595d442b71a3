"""One job behind 40 that are due later, and then an urgent one behind 500 that are not."""

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
    Undecided,
    Verdict,
    ask,
    until,
)

from . import Database, accepted, asking, submitted, working


class DelayedJobsDoNotBlock(Experiment):
    """One job behind 40 that are due later, and then an urgent one behind 500 that are not.

    A variant that is refuted by the first is spared the second.
    """

    slug = "delayed-jobs-do-not-block"
    claim = (
        "A job that is due now begins within 1 s behind 40 that were asked for before it and are due later, "
        "and so does an urgent one behind 500 others."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    began = Series("s until the immediate job began, and then until the urgent one did")
    chart = Chart(
        began,
        "seconds until a job began",
        x="1 behind delayed, 2 behind bulk",
        mark="points",
        bound=1,
    )
    parameters = (
        Parameter("delayed", 40, 10, 200, "jobs"),
        Parameter("delay", 6, 2, 60, "s"),
        Parameter("bulk", 500, 100, 2000, "jobs"),
    )

    BOUND_SECONDS = 1.0
    ENOUGH = 4.0  # s; whoever waits behind the bulk for longer is refuted
    BEHIND = ("behind delayed jobs", "behind bulk")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        later = asking(stack, variant, delay_seconds=params["delay"])
        bulk = asking(stack, variant, {"seconds": 0.05})
        with Database(stack) as database:
            working(database, stack, variant)
            self._wait_idle(database, stack, variant)
            submitted([later] * int(params["delayed"]))
            now = accepted(ask(asking(stack, variant)))
            waited = self._began(database, now, params["delay"] + self.ENOUGH)
            yield self.began(waited, x=1)
            if waited >= self.BOUND_SECONDS:
                return
            submitted([bulk] * int(params["bulk"]))
            urgent = accepted(ask(asking(stack, variant, urgent=True)))
            waited = self._began(database, urgent, self.ENOUGH)
            yield self.began(waited, x=2)
            if variant == "fire_and_forget":
                emptied(stack)

    @staticmethod
    def _wait_idle(database: Database, stack: Stack, variant: str) -> None:
        """Return once two jobs have begun together, and are done: nothing keeps a worker busy."""
        for _ in range(20):
            jobs = submitted([asking(stack, variant, {"seconds": 0.4})] * 2)
            if not until(lambda jobs=jobs: database.runs(jobs) == 2, 20, 0.02):  # type: ignore[misc]
                break
            query = "SELECT extract(epoch FROM max(started_at) - min(started_at)) FROM jobs_run"
            ((apart,),) = database.rows(f"{query} WHERE job_id = ANY (%s)", jobs)
            if float(apart) < 0.3 and until(
                lambda jobs=jobs: database.effects(jobs)[0] == 2,  # type: ignore[misc]
                20,
                0.02,
            ):
                return
        raise ExperimentError("the workers are busy without a reason")

    @staticmethod
    def _began(database: Database, job: str, most_seconds: float) -> float:
        if not until(lambda: database.runs([job]) > 0, most_seconds, 0.02):
            return most_seconds
        ((waited,),) = database.rows(
            "SELECT extract(epoch FROM min(started_at) - (SELECT created_at FROM jobs_job WHERE id = %s))"
            " FROM jobs_run WHERE job_id = %s",
            job,
            job,
        )
        return max(0, float(waited))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        began = samples.values(self.began)
        each = (f"{waited:.2f} s {what}" for waited, what in zip(began, self.BEHIND, strict=False))
        words = f"began after {{measured}} s, {{bound}} s allowed ({', '.join(each)})"
        slowest = Verdict.at_most(max(began, default=0), self.BOUND_SECONDS, words)
        if slowest.holds and len(began) < len(self.BEHIND):
            raise Undecided("not both of them have begun yet")
        return slowest


def emptied(stack: Stack) -> None:
    """Leave nothing in the queue of `fire_and_forget`, for which the next claim would wait.

    Over the Redis protocol that is a list; with RabbitMQ nothing is left in it.
    """
    if "redis" in stack.services:
        with Redis.from_url(stack.services["redis"]) as server:
            server.delete("celery")
