"""Send 64 requests at once while a table is locked, and count the backends that wait for it."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
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

from . import PATIENCE_SECONDS, connect, number

# Those of the alias that this run's queries came by: those of a run before may yet go on.
BACKENDS = """
SELECT count(*) FROM pg_stat_activity WHERE application_name IN (
    SELECT application_name FROM pg_stat_activity
    WHERE application_name IN ('direct', 'pooled') AND query LIKE %s
)
"""


WAITING = """
SELECT count(*) FROM pg_locks WHERE relation = 'flights_airport'::regclass AND NOT granted
"""


class OverloadIsRefused(Experiment):
    slug = "overload-is-refused"
    claim = (
        "Under 64 concurrent requests a pool of 8 never holds more than 8 backends, and whoever gets "
        "none is told so (503) within the pool's timeout of 1 s and half a second."
    )
    holds = ("optimized",)
    refuted = ("naive",)
    backends = Series("backends of the server, the most so far")
    served = Series("requests served")
    refused = Series("requests refused")
    neither = Series("requests neither served nor refused")
    waited = Series("s until a refusal")
    chart = Chart(backends, "most backends of the server", bound=8)
    parameters = (Parameter("requests", 64, 16, 64, "requests"),)

    POOL, SLOWEST_SECONDS, LOCKED_SECONDS = 8, 1.5, 2

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        text = f"nowhere {random.randrange(1_000_000)}"
        request = Request(f"{stack.url}/api/{variant}/airports/?text={quote(text)}")
        counts = Counter[int]()
        slowest = 0.0
        seen: list[Sample] = []
        yield clock_starts()
        with self._locked(stack), self._watched(stack, text, seen):
            crowd = [request] * int(params["requests"])
            for answer in volley(crowd, processes=4, connections=16, timeout_seconds=30):
                counts[answer.status] += 1
                if answer.status == 503:
                    slowest = max(slowest, answer.seconds)
                while seen:
                    yield seen.pop(0)
        yield from seen
        yield self.refused(counts[503])
        yield self.neither(counts.total() - counts[200] - counts[503])
        yield self.waited(slowest)
        yield self.served(counts[200])

    @contextmanager
    def _locked(self, stack: Stack) -> Iterator[None]:
        """Keep everybody from the airports, until so long after the first who waits for them."""
        locked = threading.Event()

        def lock() -> None:
            with connect(stack) as connection, connect(stack, autocommit=True) as watching:
                connection.execute("LOCK TABLE flights_airport")
                locked.set()
                deadline = time.monotonic() + PATIENCE_SECONDS
                while not number(watching, WAITING) and time.monotonic() < deadline:
                    time.sleep(0.02)
                time.sleep(self.LOCKED_SECONDS)

        thread = threading.Thread(target=lock, daemon=True)
        thread.start()
        if not locked.wait(PATIENCE_SECONDS):
            raise ExperimentError("the airports could not be locked")
        try:
            yield
        finally:
            thread.join()

    @contextmanager
    def _watched(self, stack: Stack, text: str, seen: list[Sample]) -> Iterator[None]:
        """Count the connections by which queries for this text come, until the end of the block."""
        over = threading.Event()

        def watch() -> None:
            most = 0
            with connect(stack, autocommit=True) as connection:
                while not over.wait(0.02):
                    most = max(most, number(connection, BACKENDS, f"%{text}%"))
                    seen.append(self.backends(most))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = (
            f"{{measured}} backends for {params['requests']:.0f} requests, {{bound}} are allowed"
        )
        backends = Verdict.at_most(samples.last(self.backends, 0), self.POOL, words)
        if not backends.holds:
            return backends
        words = f"{samples.last(self.refused):.0f} refused after {{measured:.2f}} s, {{bound}} s are allowed"
        refused = Verdict.at_most(samples.last(self.waited), self.SLOWEST_SECONDS, words)
        neither = Verdict.at_most(samples.last(self.neither), 0, "{measured} neither")
        served = Verdict.at_least(
            samples.last(self.served), self.POOL, "{measured} served, at least {bound} have to be"
        )
        return backends & served & refused & neither
