"""Spend a limit just before a window ends, and the next one just after."""

import time
from collections.abc import Iterator, Sequence

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
    rest,
)

from . import admitted, forget, sent_by, some_address, url

LIMIT = 10  # a second
BEFORE_SECONDS = 0.25
AFTER_SECONDS = 0.95  # long enough for a bucket that refills meanwhile to admit 11, too


class NoCliff(Experiment):
    """Attack across the end of a window, whichever window it is.

    One that follows the clock ends with a whole second. One that begins with its first request is opened
    at a whole second, and ends at the next. As no 11 requests may come in within a second, the quickest 11
    are timed, from the question of the first to the answer of the last.
    """

    slug = "no-cliff"
    claim = "With a strict policy of 10 requests a second no second, wherever it begins, admits 11."
    holds = ("token_bucket",)
    refuted = ("fixed_window", "django_ratelimit")
    fastest = Series("requests a second")
    chart = Chart(fastest, "requests a second, of the quickest 11 admitted so far", bound=LIMIT)
    parameters = (Parameter("attacks", 2, 1, 20, "attacks"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        forget(stack)
        target, headers = url(stack, variant, "strict"), sent_by(some_address())
        spans: list[tuple[float, float]] = []
        fastest = 0.0
        yield clock_starts()
        for _ in range(int(params["attacks"])):
            rest(1 - time.time() % 1)
            opened = time.monotonic()
            while (now := time.monotonic() - opened) < 1 + AFTER_SECONDS:
                answer = ask(target, headers)
                if admitted(answer):
                    spans.append((answer.sent, answer.received))
                    fastest = max(fastest, rate_of_the_last(spans))
                yield self.fastest(fastest, at=answer.received)
                rest(1 - BEFORE_SECONDS - now)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        rate = samples.last(self.fastest)
        words = "{measured:.0f} requests a second, the limit allows {bound}"
        if rate:
            words = f"11 requests admitted within {LIMIT / rate:.2f} s: {words}"
        return Verdict.at_most(rate, LIMIT, words)


def rate_of_the_last(spans: Sequence[tuple[float, float]]) -> float:
    """Return the requests a second of the latest 11 admitted, 0 of fewer: never one too many.

    Ten of them follow the first, so that a limit of 10 a second allows 10 exactly.
    """
    latest = spans[-LIMIT - 1 :]
    return LIMIT / (latest[-1][1] - latest[0][0]) if len(latest) > LIMIT else 0.0
