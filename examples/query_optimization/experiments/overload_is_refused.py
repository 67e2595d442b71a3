"""A pool bounds the server's backends, and says no in time."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

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
    clock_starts,
    volley,
)

from . import connect, staff


class OverloadIsRefused(Experiment):
    """Send 64 requests at once, each with a query of two seconds, and count the server's backends."""

    slug = "overload-is-refused"
    claim = (
        "Under 64 concurrent requests a pool of 8 never holds more than 8 backends, and whoever gets "
        "none is told so (503) within the pool's timeout of 1 s and half a second."
    )
    holds = ("optimized",)
    refuted = ("naive",)
    backends = Series("connections")
    served = Series("requests")
    refused = Series("requests")
    waited = Series("seconds", "waited for a refusal")
    neither = Series("requests")
    chart = Chart(backends, "backends of the server", bound=8)
    parameters = (Parameter("requests", 64, 16, 64, "requests"),)

    POOL, SLOWEST_SECONDS, QUERY_SECONDS = 8, 1.5, 2
    NAMES: ClassVar = {"naive": "direct", "optimized": "pooled"}

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        request = Request(
            f"{stack.url}/api/{variant}/long/?seconds={self.QUERY_SECONDS}", staff(stack)
        )
        counts = Counter[int]()
        slowest = 0.0
        backends: deque[tuple[float, int]] = deque()
        yield clock_starts()
        with self._watched(stack, self.NAMES[variant], backends):
            for answer in volley(
                [request] * int(params["requests"]), processes=4, connections=16, timeout_seconds=30
            ):
                counts[answer.status] += 1
                if answer.status == 503:
                    slowest = max(slowest, answer.seconds)
                while backends:
                    moment, number = backends.popleft()
                    yield self.backends(number, at=moment)
                yield self.refused(counts[503])
                yield self.served(counts[200])
        yield self.neither(sum(counts.values()) - counts[200] - counts[503])
        yield self.waited(slowest)

    @contextmanager
    def _watched(
        self, stack: Stack, name: str, backends: deque[tuple[float, int]]
    ) -> Iterator[None]:
        """Count the connections of that name until the end of the block."""
        over = threading.Event()

        def watch() -> None:
            with connect(stack, autocommit=True) as connection:
                while not over.wait(0.02):
                    (number,) = connection.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [name]
                    ).fetchone() or (0,)
                    backends.append((time.monotonic(), number))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def judge(self, samples: Samples, params: Params) -> Verdict:
        served, refused = samples.last(self.served), samples.last(self.refused)
        words = (
            f"{{measured}} backends, {{bound}} allowed; {served:.0f} served, {refused:.0f} refused"
        )
        backends = Verdict.at_most(max(samples.values(self.backends), default=0), self.POOL, words)
        if not backends.holds:
            return backends
        samples.wait_for_end()
        words = "the last refusal after {measured} s of {bound} s"
        told = Verdict.at_most(samples.last(self.waited), self.SLOWEST_SECONDS, words)
        neither = Verdict.at_most(samples.last(self.neither), 0, "{measured} neither")
        enough = Verdict.at_least(served, self.POOL, "{measured} served, at least {bound}")
        return (backends & told).provided(neither).provided(enough)
