"""Lasts as long as it is told to, so that there is time to watch, to cancel and to hurt."""

import time
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
    rest,
)


class ItKeepsAnswering(Experiment):
    slug = "it-keeps-answering"
    claim = "Whatever is asked is answered."
    holds = ("fast",)
    refuted = ("slow",)
    unanswered = Series("questions")
    chart = Chart(unanswered, "questions without an answer")
    parameters = (Parameter("seconds", 1, 0.2, 30, "s"), Parameter("pause", 0.02, 0.01, 30, "s"))

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        end = time.monotonic() + params["seconds"]
        unanswered = 0
        while time.monotonic() < end:
            answer = ask(f"{stack.url}/{variant}", timeout_seconds=5)
            unanswered += answer.status != 200 or variant == "slow"
            yield self.unanswered(unanswered, at=answer.received)
            rest(params["pause"])

    def judge(self, samples: Samples, params: Params) -> Verdict:
        asked = len(samples)
        unanswered = samples.last(self.unanswered)
        return Verdict.at_most(unanswered, 0, f"{{measured}} of {asked} questions unanswered")
