"""What a client with a bad connection does: it sends its request again, before there is an answer."""

import uuid
from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    volley,
)

from . import Database, asking, job


class SameKeySameJob(Experiment):
    slug = "same-key-same-job"
    claim = "One Idempotency-Key that is sent 20 times at once names one job, and gets 20 equal answers."
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    jobs = Series("jobs")
    answers = Series("answers", "different answers")
    chart = Chart(jobs, "jobs of one key", x="requests answered", bound=1)
    parameters = (Parameter("requests", 20, 2, 200, "requests"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        request = asking(stack, variant, key=f"key-{uuid.uuid4()}")
        jobs, bodies = set(), set()
        with Database(stack):
            yield clock_starts()
            answers = volley([request] * int(params["requests"]), processes=2)
            for number, answer in enumerate(answers, 1):
                jobs.add(job(answer))
                bodies.add(answer.body)
                yield self.jobs(len(jobs), at=answer.received, x=number)
                yield self.answers(len(bodies), at=answer.received)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        return Verdict.at_most(
            samples.last(self.jobs), 1, "{measured} jobs of one key, {bound} allowed"
        ) & Verdict.at_most(
            samples.last(self.answers), 1, "{measured} different answers, {bound} allowed"
        )
