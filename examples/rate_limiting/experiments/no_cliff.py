"""Open a window with one request, and attack across its end."""

import time
from collections.abc import Iterator

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
# Till the clients of the attack are started: they need a moment, and spend a whole limit in a third of
# a second. Between .3 and .6 of a second they do so before any window ends.
QUIET_SECONDS = 1.2
ATTACK_SECONDS = 4.3  # longer than a window
ENOUGH = 2 * LIMIT - 1  # admitted of the attack: all that two windows have after the first request


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
    admitted = Series("seconds from question to answer")
    chart = Chart(
        admitted, "requests admitted in the last 4 s", window_seconds=WINDOW_SECONDS, bound=LIMIT
    )
    parameters = (Parameter("rate", 300, 250, 600, "requests/s"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        request = Request(url(stack, variant, "strict"), sent_by(some_address()))
        requests = [request] * int(params["rate"] * ATTACK_SECONDS)
        rest(1 - time.time() % 1)
        yield clock_starts()
        first = ask(request)
        if admitted(first):
            yield self.admitted(first.seconds, at=first.received)
        rest(first.sent + QUIET_SECONDS - time.monotonic())
        got_in = 0
        for answer in volley(requests, processes=2, connections=40, rate=params["rate"]):
            if admitted(answer):
                got_in += 1
                yield self.admitted(answer.seconds, at=answer.received)
            if got_in >= ENOUGH:
                return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        # A request counts only if question and answer both lie in the window: never one too many.
        spans = [(each.seconds - each.value, each.seconds) for each in samples.of(self.admitted)]
        most = max(
            (
                sum(
                    sent >= begin and received <= begin + WINDOW_SECONDS for sent, received in spans
                )
                for begin, _ in spans
            ),
            default=0,
        )
        words = "{measured} requests admitted in 4 s, the limit allows {bound}"
        return Verdict.at_most(most, LIMIT, words)
