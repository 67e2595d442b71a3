"""Spend a limit just before a window ends, and the next one just after."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

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

from . import admitted, forget, sent_by, some_address, url

LIMIT = 10  # a second
BEFORE_SECONDS = 0.25
CONNECTIONS = 4  # at once: one would be as slow as the servers, and 11 answers could take a second
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
            for answers in attack(target, headers):
                spans += [(each.sent, each.received) for each in answers if admitted(each)]
                fastest = max(fastest, rate_of_the_quickest(spans[-3 * LIMIT :]))
                yield self.fastest(fastest, at=max(each.received for each in answers))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        rate = samples.last(self.fastest)
        words = "{measured:.0f} requests a second, the limit allows {bound}"
        if rate:
            words = f"11 requests admitted within {LIMIT / rate:.2f} s: {words}"
        return Verdict.at_most(rate, LIMIT, words)


def attack(target: str, headers: Mapping[str, str]) -> Iterator[list[Answer]]:
    """Ask once as a second begins, then at once and again and again from before its end on."""
    rest(1 - time.time() % 1)
    opened = time.monotonic()
    yield [ask(target, headers)]
    rest(opened + 1 - BEFORE_SECONDS - time.monotonic())
    with ThreadPoolExecutor(CONNECTIONS - 1) as pool:
        while time.monotonic() < opened + 1 + AFTER_SECONDS:
            others = [pool.submit(ask, target, headers) for _ in range(CONNECTIONS - 1)]
            yield [ask(target, headers), *(each.result() for each in others)]


def rate_of_the_quickest(spans: Sequence[tuple[float, float]]) -> float:
    """Return the requests a second of the quickest 11 admitted, 0 of fewer: never one too many.

    Each was admitted between its question and its answer, so all 11 between the first question and the
    last answer. Ten of them follow the first, so that a limit of 10 a second allows 10 exactly.
    """
    fastest = 0.0
    for first, _ in spans:
        received = sorted(end for sent, end in spans if sent >= first)
        if len(received) > LIMIT:
            fastest = max(fastest, LIMIT / (received[LIMIT] - first))
    return fastest
