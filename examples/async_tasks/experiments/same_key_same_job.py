"""One key, sent many times at once."""

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
    volley,
)

from . import Database, accepted, asking


class SameKeySameJob(Experiment):
    slug = "same-key-same-job"
    claim = "One Idempotency-Key that is sent 20 times at once names one job, and gets 20 equal answers."
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    jobs = Series("jobs")
    answers = Series("different answers")
    chart = Chart(jobs, "jobs of one key", x="requests answered")
    parameters = (Parameter("requests", 20, 2, 200, "requests"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        request = asking(stack, variant, key=f"key-{uuid.uuid4()}")
        jobs, bodies = set(), set()
        with Database(stack):
            answers = volley([request] * int(params["requests"]), processes=2)
            for number, answer in enumerate(answers, 1):
                jobs.add(accepted(answer))
                bodies.add(answer.body)
                yield self.jobs(len(jobs), x=number)
                yield self.answers(len(bodies))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        jobs = Verdict.at_most(samples.last(self.jobs), 1, "{measured} jobs of {bound} key")
        words = "{measured} different answers, {bound} expected"
        return jobs & Verdict.at_most(samples.last(self.answers), 1, words)
