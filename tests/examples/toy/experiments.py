"""Claims that are true of `fast` and untrue of `slow`."""

import time
from collections.abc import Iterator, Sequence

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Sample,
    Stack,
    Verdict,
    ask,
    rest,
)


class Answers(Experiment):
    slug = "it-answers"
    claim = "It answers with 200."
    holds = ("fast",)
    refuted = ("slow",)
    units = {"status": "HTTP status"}
    chart = Chart("status", "HTTP status", mark="points")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        status = ask(f"{stack.url}/{variant}").status
        yield Sample(0, "status", status if variant == "fast" else 500)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        status = samples[-1].value
        return Verdict(status == 200, f"status {status:.0f}, 200 expected", status, 200)


class KeepsAnswering(Experiment):
    """Lasts as long as it is told to, so that there is time to watch, to cancel and to hurt."""

    slug = "it-keeps-answering"
    claim = "Whatever is asked is answered within half a second."
    holds = ("fast",)
    refuted = ("slow",)
    units = {"unanswered": "questions"}
    chart = Chart("unanswered", "questions without an answer")
    parameters = (Parameter("seconds", 1, 0.2, 30, "s"), Parameter("pause", 0.02, 0.01, 30, "s"))

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        start = time.monotonic()
        unanswered = 0
        while time.monotonic() < start + params["seconds"]:
            answer = ask(f"{stack.url}/{variant}", timeout_seconds=0.5)
            unanswered += answer.status != 200 or variant == "slow"
            yield Sample(answer.received - start, "unanswered", unanswered)
            rest(params["pause"])

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        unanswered = samples[-1].value
        return Verdict(unanswered == 0, f"{unanswered:.0f} of {len(samples)}", unanswered, 0)
