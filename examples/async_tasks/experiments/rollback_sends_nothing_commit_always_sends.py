"""Requests are rolled back; then the broker is frozen, and then killed, while one is committed."""

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
    ask,
    clock_starts,
    expect,
    rest,
    until,
)

from . import Database, asking, idle, job


class RollbackSendsNothing(Experiment):
    slug = "rollback-sends-nothing-commit-always-sends"
    claim = (
        "A request that is rolled back starts no job; one that commits while the broker is frozen or down "
        "is answered with 202 within 300 ms, and its job is done within 5 s of the broker's return."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    ghosts = Series("jobs", "jobs of rolled-back requests begun")
    accepted = Series("requests", "requests accepted without a broker")
    answered = Series("ms")
    delivered = Series("s", "seconds after the broker's return")
    chart = Chart(ghosts, "jobs of rolled-back requests begun", bound=0)
    live = (accepted, answered, delivered)
    parameters = (Parameter("away", 1, 1, 30, "s"),)

    ROLLED_BACK = 5
    FAULTS = 2
    ANSWER_MS = 300.0
    DELIVERED_SECONDS = 5.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        broker = "rabbitmq" if "rabbitmq" in stack.services else "redis"
        accepted = 0
        with idle(stack, variant) as database:
            yield clock_starts()
            yield self.ghosts(self._ghosts(database, stack, variant))
            for away in (stack.paused, stack.killed):
                with away(broker):
                    answer = expect(ask(asking(stack, variant), timeout_seconds=1), 202, 500, 0)
                    accepted += answer.status == 202
                    yield self.answered(answer.seconds * 1000)
                    yield self.accepted(accepted)
                    if answer.status != 202:
                        return
                    rest(params["away"])
                returned = time.monotonic()
                until(lambda: database.done([job(answer)]), 2 * self.DELIVERED_SECONDS)  # noqa: B023
                yield self.delivered(time.monotonic() - returned)

    def _ghosts(self, database: Database, stack: Stack, variant: str) -> int:
        """Return how many jobs of requests that were rolled back have begun.

        One that is asked for after them is done after they have begun.
        """
        rolled_back = asking(stack, variant, {"rollback": True})
        ghosts = [job(ask(rolled_back), 409) for _ in range(self.ROLLED_BACK)]
        after = [job(ask(asking(stack, variant)))]
        if not until(lambda: database.done(after), 30):
            raise ExperimentError("the workers are busy without a reason")
        return database.begun(ghosts)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        return (
            Verdict.at_most(
                samples.last(self.ghosts),
                0,
                f"{{measured}} of {self.ROLLED_BACK} rolled-back jobs begun",
            )
            & Verdict.at_least(
                samples.last(self.accepted, 0),
                self.FAULTS,
                "{measured} of {bound} requests accepted without a broker",
            )
            & Verdict.at_most(
                max(samples.values(self.answered), default=0),
                self.ANSWER_MS,
                "the slowest answered after {measured:.0f} ms, {bound:.0f} ms allowed",
            )
            & Verdict.at_most(
                max(samples.values(self.delivered), default=0),
                self.DELIVERED_SECONDS,
                "a job done {measured:.1f} s after the broker's return, {bound:.0f} s allowed",
            )
        )
