"""One client sends everything at once; what gets in is counted."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from nexus.experiment import (
    Answer,
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
    clock_starts,
    volley,
)

from . import (
    REFILL_PER_SECOND,
    admitted_by_redis,
    decided_apart,
    forget,
    sent_by,
    some_address,
    timed,
    url,
    warm,
)

EVERY = 50  # answers from sample to sample
HELD_MS = 25  # a decision waits for 100
FREE_SECONDS = 0.01
BURSTS = 5  # at most; a second one where a breaker opened and left half of the first to no Redis
ENTRY_POINTS = {"token_bucket": ("token_bucket", "token_bucket_drf", "token_bucket_decorator")}


class BurstIsBounded(Experiment):
    slug = "burst-is-bounded"
    claim = (
        "Of 1,000 requests that one client sends at once from 8 processes to 4 server processes of "
        "8 threads, while Redis holds writes up for 25 ms again and again, a limit of 100 admits "
        "100 and what refills meanwhile, through all three entry points mixed."
    )
    holds = ("fixed_window", "token_bucket")
    refuted = ("unprotected", "drf_throttle")
    reports = (
        (
            "encode/django-rest-framework#6950",
            "simultaneous requests pass a throttle that reads, compares and writes",
            "one script in Redis decides",
        ),
    )
    admitted = Series("requests")
    lasted = Series("seconds from the first request to the latest answer")
    without_redis = Series("decisions", "without Redis")
    chart = Chart(admitted, "requests admitted", x="requests answered")
    parameters = (
        Parameter("requests", 1000, 200, 10_000, "requests"),
        Parameter("clients", 8, 1, 16, "processes"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        doors = [url(stack, door) for door in ENTRY_POINTS.get(variant, (variant,))]
        warm(doors)
        forget(stack)
        headers = sent_by(some_address())
        requests = [Request(doors[n % len(doors)], headers) for n in range(int(params["requests"]))]
        yield clock_starts()
        got_in = apart = decided = 0

        def bursts() -> Iterator[Answer]:
            for _ in range(BURSTS):
                yield from volley(requests, processes=int(params["clients"]), connections=25)
                if decided >= len(requests) / 2:
                    break

        with writes_held_up(stack.services["redis"]):
            for number, (seconds, answer) in enumerate(timed(bursts()), 1):
                apart += decided_apart(answer)
                decided = number - apart
                got_in += admitted_by_redis(answer)
                if number % EVERY == 0:
                    yield self.lasted(seconds)
                    yield self.without_redis(apart)
                    yield self.admitted(got_in, x=number)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        got_in = samples.last(self.admitted)
        apart = samples.last(self.without_redis, default=0)
        if got_in + apart < 100:  # Redis may have charged what it was too late to answer
            return Verdict.at_least(got_in, 100, "{measured} requests admitted, {bound} are due")
        bound = 100 + math.floor(REFILL_PER_SECOND * samples.last(self.lasted))
        figure = "{measured} requests admitted, the limit allows {bound}"
        return Verdict.at_most(got_in, bound, figure).provided(
            Verdict.at_least(
                (samples.of(self.admitted)[-1].x or 0) - apart,
                params["requests"] / 2,
                "{measured} decided by Redis, {bound} are due",
            )
        )


@contextmanager
def writes_held_up(url: str) -> Iterator[None]:
    """Let Redis answer who reads and hold up who writes, as it does before a failover.

    It is the barrier of a race: what reads meanwhile reads the same, in however many processes.
    """
    over = threading.Event()

    def hold_up() -> None:
        with Redis.from_url(url) as store:
            while not over.wait(FREE_SECONDS):
                store.client_pause(HELD_MS, all=False)
                over.wait(HELD_MS / 1000)

    thread = threading.Thread(target=hold_up)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
