"""The broker is frozen, and then killed; a variant that is refuted by then is spared the second."""

import time
from collections.abc import Iterator
from functools import partial

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

from . import Database, accepted, asking, broker, working


class RollbackSendsNothing(Experiment):
    slug = "rollback-sends-nothing-commit-always-sends"
    claim = (
        "A request that is rolled back starts no job; one that commits while the broker is frozen or down "
        "is answered with 202 within 300 ms, and its job is done within 5 s of the broker's return."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    ghosts = Series("jobs of rolled-back requests begun")
    answered = Series("ms")
    refusals = Series("requests not accepted", "refused")
    delivered = Series("s after the return")
    chart = Chart(answered, "milliseconds until the request is answered", mark="points", bound=300)
    parameters = (Parameter("away", 1.5, 1, 30, "s"),)

    ANSWER_MS = 300.0
    DELIVERED_SECONDS = 5.0
    NEVER = 15.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            working(database, stack, variant)
            yield clock_starts()
            ghosts = [
                accepted(ask(asking(stack, variant, {"rollback": True})), 409) for _ in range(5)
            ]
            # One that is asked for after them is done after they have begun.
            after = accepted(ask(asking(stack, variant)))
            if not until(partial(database.done, after), 30):
                raise ExperimentError("the workers are busy without a reason")
            begun = database.number(
                "SELECT count(DISTINCT job_id) FROM jobs_run WHERE job_id = ANY (%s)", ghosts
            )
            yield self.ghosts(begun)
            for away in (stack.paused, stack.killed):
                with away(broker(stack)):
                    answer = ask(asking(stack, variant), timeout_seconds=2)
                    expect(answer, 202, 500, 0)
                    yield self.answered(answer.seconds * 1000)
                    yield self.refusals(answer.status != 202)
                    rest(params["away"])
                returned = time.monotonic()
                if answer.status == 202:
                    job = accepted(answer)
                    done = until(partial(database.done, job), self.NEVER)
                    waited = time.monotonic() - returned if done else self.NEVER
                    yield self.delivered(waited)
                if begun or answer.status != 202:
                    return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} of 5 rolled-back jobs begun"
        ghosts = Verdict.at_most(samples.last(self.ghosts), 0, words)
        words = "{measured} requests refused without a broker"
        refused = Verdict.at_most(sum(samples.values(self.refusals)), 0, words)
        if not (ghosts & refused).holds:
            return ghosts & refused
        samples.wait_for_end()
        words = "the slowest answered after {measured} ms, {bound} ms allowed"
        answered = Verdict.at_most(max(samples.values(self.answered)), self.ANSWER_MS, words)
        words = "the last job done {measured} s after its return, {bound} s allowed"
        delivered = samples.values(self.delivered)
        late = Verdict.at_most(max(delivered), self.DELIVERED_SECONDS, words)
        both = Verdict.exactly(len(delivered), 2, "{measured} of {bound} jobs delivered")
        return (ghosts & refused & answered & late).provided(both)
