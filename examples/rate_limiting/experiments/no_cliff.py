"""Open a window with one request, and attack across its end."""

import time
from collections.abc import Iterator, Sequence

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    rest,
    volley,
)

from . import admitted, forget, sent_by, some_address, url

WINDOW_SECONDS = 4.0
LIMIT = 100
# Of a second, when the clients of the attack are started: they need a moment, and spend a whole limit in
# a third of a second. Between .3 and .6 they do so before any window ends.
ATTACK_AT = 0.2
ATTACK_SECONDS = 4.3  # longer than a window
ENOUGH = 2 * LIMIT  # admitted: all that two windows have


class NoCliff(Experiment):
    """Attack so that the end of a window comes when its limit is spent, whichever window it is.

    One that begins with its first request ends four seconds after it. One that follows the clock ends
    with a whole second.
    """

    slug = "no-cliff"
    claim = (
        "With a strict policy no window of 4 seconds, wherever it begins, admits more than 100 "
        "requests."
    )
    holds = ("token_bucket",)
    refuted = ("fixed_window", "django_ratelimit")
    most = Series("requests")
    chart = Chart(most, "most requests admitted in any 4 s so far", bound=LIMIT)
    parameters = (Parameter("rate", 300, 250, 600, "requests/s"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        request = Request(url(stack, variant, "strict"), sent_by(some_address()))
        requests = [request] * int(params["rate"] * ATTACK_SECONDS)
        yield clock_starts()
        first = ask(request)
        spans = [(first.sent, first.received)] if admitted(first) else []
        most = len(spans)
        rest(1 + ATTACK_AT - time.time() % 1)
        for answer in volley(requests, processes=2, connections=40, rate=params["rate"]):
            if admitted(answer):
                spans.append((answer.sent, answer.received))
                # Answers of two processes come out of order: one is in later windows, too.
                ends = [received for _, received in spans if received >= answer.received]
                most = max(most, *(in_window(spans, end) for end in ends))
                yield self.most(most, at=max(ends))
            if len(spans) >= ENOUGH:
                return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} requests admitted in 4 s, the limit allows {bound}"
        return Verdict.at_most(samples.last(self.most), LIMIT, words)


def in_window(spans: Sequence[tuple[float, float]], end: float) -> int:
    """Return how many requests have both question and answer in a window: never one too many."""
    return sum(sent >= end - WINDOW_SECONDS and received <= end for sent, received in spans)
