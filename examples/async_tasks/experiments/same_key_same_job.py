"""What a client with a bad connection does: it sends its request again, before there is an answer."""

import json
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
    ask,
    clock_starts,
    expect,
    until,
    volley,
)

from . import Database, asking, job


class SameKeySameJob(Experiment):
    slug = "same-key-same-job"
    claim = (
        "One Idempotency-Key that is sent 20 times at once names one job and gets 20 equal answers; the "
        "address in them gives one report, and another request with that key is refused."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    jobs = Series("jobs")
    answers = Series("answers", "different answers")
    fetched = Series("reports", "reports at the address of the answer")
    refusals = Series("requests", "other requests refused")
    chart = Chart(jobs, "jobs of one key", x="requests answered", bound=1)
    parameters = (Parameter("requests", 20, 2, 200, "requests"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        key = f"key-{uuid.uuid4()}"
        request = asking(stack, variant, key=key)
        jobs, bodies = set(), set()
        with Database(stack):
            yield clock_starts()
            answers = volley([request] * int(params["requests"]), processes=2)
            for number, answer in enumerate(answers, 1):
                jobs.add(job(answer))
                bodies.add(answer.body)
                yield self.jobs(len(jobs), at=answer.received, x=number)
                yield self.answers(len(bodies), at=answer.received)
            if len(bodies) == 1:
                yield self.fetched(
                    self._fetched(f"{stack.url}{json.loads(bodies.pop())['status']}")
                )
                other = ask(asking(stack, variant, key=key, month=2))
                yield self.refusals(other.status == 422)

    @staticmethod
    def _fetched(status: str) -> bool:
        """Whether a client that follows the answer gets its report."""
        if not until(lambda: "report" in json.loads(expect(ask(status), 200).body), 30):
            return False
        return expect(ask(f"{status}report.csv"), 200).body.startswith(b"day,flights,on_time")

    def judge(self, samples: Samples, params: Params) -> Verdict:
        repeated = Verdict.at_most(
            samples.last(self.jobs), 1, "{measured:job} of one key, {bound} allowed"
        ) & Verdict.at_most(
            samples.last(self.answers), 1, "{measured} different answers, {bound} allowed"
        )
        if not repeated.holds:
            return repeated
        return (
            repeated
            & Verdict.exactly(
                samples.last(self.fetched), 1, "{measured} of {bound} reports fetched"
            )
            & Verdict.exactly(
                samples.last(self.refusals), 1, "{measured} of {bound} other requests refused"
            )
        )
