"""A client obeys: it asks until it is refused, waits as long as it is told, and asks again."""

import math
import time
from collections.abc import Iterator

from nexus.experiment import (
    Answer,
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
    rest,
)

from . import admitted, decided_apart, forget, sent_by, some_address, url

PACE_SECONDS = 0.12
RATE_PER_SECOND = 1.5
ENOUGH_BROKEN = 20  # a client told to wait 0 s would otherwise come back hundreds of times


class RetryAfterIsTrue(Experiment):
    slug = "retry-after-is-true"
    claim = (
        "A client that waits exactly Retry-After is never refused again, and gets its full rate "
        "of 1.5 requests per second."
    )
    holds = ("token_bucket",)
    refuted = ("fixed_window",)
    waited = Series("seconds of Retry-After")
    refused_after_waiting = Series("requests")
    admitted = Series("requests")
    due = Series("requests")
    chart = Chart(refused_after_waiting, "refusals after a full wait", x="waits")
    parameters = (Parameter("seconds", 4, 3, 30, "s"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        target, headers = url(stack, variant, "steady"), sent_by(some_address())
        yield clock_starts()
        refusal = spend(target, headers)[-1]
        drained = refusal.received
        waits = got_in = broken = late = 0
        seen_seconds = 0.0
        while time.monotonic() < drained + params["seconds"] and broken < ENOUGH_BROKEN:
            wait = float(refusal.headers["retry-after"])
            yield self.waited(wait)
            rest(refusal.received + wait - time.monotonic())
            answers = spend(target, headers)
            before, refusal = refusal, answers[-1]
            if any(map(decided_apart, answers)):  # Redis was late, and other buckets counted
                late += 1
                continue
            waits += 1
            broken += len(answers) == 1
            got_in += len(answers) - 1
            # From a refusal's answer to the next one's question: the bucket saw no less time.
            seen_seconds += refusal.sent - before.received
            # What is left of a token at the end of one such span is no part of the next after a gap.
            yield self.due(math.floor(RATE_PER_SECOND * seen_seconds) - late)
            yield self.admitted(got_in)
            yield self.refused_after_waiting(broken, x=waits)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        waits = len(samples.of(self.refused_after_waiting))
        broken = samples.last(self.refused_after_waiting)
        due = math.ceil(0.99 * samples.last(self.due))
        return Verdict.at_most(
            broken, 0, f"{{measured}} of {waits} waits ended in a refusal"
        ) & Verdict.at_least(
            samples.last(self.admitted), due, "{measured} requests admitted, {bound} were due"
        )


def spend(target: str, headers: dict[str, str]) -> list[Answer]:
    """Ask at a steady pace until refused; the refusal is the last answer."""
    answers = [ask(target, headers)]
    while admitted(answers[-1]):
        # By the clock: a slow machine must not move the refusal to another part of a window's second.
        rest(answers[0].sent + PACE_SECONDS * len(answers) - time.monotonic())
        answers.append(ask(target, headers))
    return answers
