"""What is measured of a cache, and how: hits and misses beside Django's, a cold crowd, whole requests."""

import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from caching_peers import Compute, Contestant, Get
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from flights.pages import airport
from layers.values import Value

ROUNDS = 25
MISSES = 60
AT_ONCE = 40
REQUESTS = 1_000
SLOW_SECONDS = 0.05

_names = itertools.count()
_run = uuid.uuid4().hex[:8]


def new_key() -> str:
    return f"bench:{_run}:{next(_names)}"


def page() -> Value:
    """Compute what the example caches: two queries."""
    return airport("KJFK")


@dataclass(slots=True)
class Bench:
    """One contestant: microseconds of a hit and of a miss, round by round."""

    contestant: Contestant
    get: Get
    hit_us: list[float] = field(default_factory=list)
    miss_us: list[float] = field(default_factory=list)
    keys: list[str] = field(default_factory=lambda: [new_key() for _ in range(100)])

    def warm(self) -> None:
        for _ in range(3):  # computed, from Redis, from the process
            for key in self.keys:
                self.get(key, page)

    def measure(self) -> None:
        chosen = list(itertools.islice(itertools.cycle(self.keys), self.contestant.calls))
        self.hit_us.append(_us(self.get, chosen, _unexpected))
        if self.contestant.misses:
            self.miss_us.append(_us(self.get, [new_key() for _ in range(MISSES)], page))

    def at_once(self) -> int:
        """Return how many computations AT_ONCE readers of one cold key cause."""
        computed: list[int] = []
        start, key = threading.Barrier(AT_ONCE), new_key()

        def compute() -> Value:
            computed.append(1)
            time.sleep(SLOW_SECONDS)
            return Value(b"slow", (key,))

        def read() -> None:
            start.wait()
            self.get(key, compute)

        readers = [threading.Thread(target=read) for _ in range(AT_ONCE)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        return len(computed)


def _us(get: Get, keys: list[str], compute: Compute) -> float:
    started = time.perf_counter()
    if many := getattr(get, "many", None):
        many(keys, compute)
    else:
        for key in keys:
            get(key, compute)
    return (time.perf_counter() - started) / len(keys) * 1e6


def _unexpected() -> Value:
    raise RuntimeError("a hit was computed")


def race(benches: Sequence[Bench], deadline: float) -> None:
    """Time all of them in rounds, in a new order each, so that none has the quiet moments."""
    for number in range(ROUNDS):
        for bench in random.Random(number).sample(benches, len(benches)):
            bench.measure()
        if time.monotonic() > deadline:
            break


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return how many times as long theirs took, in the median of the rounds."""
    return median(b / a for a, b in zip(ours, theirs, strict=True))


def requests_ms(codes: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the 50th and 99th percentile of a whole request through Django, by the layer that answers."""
    application = get_wsgi_application()
    hot = f"/api/{{}}/airports/{codes[0]}/"
    etag = _request(application, hot.format("layered"), {})["ETag"]
    kinds: dict[str, Callable[[int], tuple[str, dict[str, str]]]] = {
        "local": lambda _: (hot.format("layered"), {}),
        "304": lambda _: (hot.format("layered"), {"If-None-Match": etag}),
        "redis": lambda _: (hot.format("layered"), {"Cache-Control": "no-cache"}),
        "computed": lambda n: (f"/api/layered/airports/{codes[1 + n]}/", {}),
        "get_or_set": lambda _: (hot.format("get_or_set"), {}),
        "uncached": lambda _: (hot.format("uncached"), {}),
    }
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(REQUESTS):
        for kind in random.Random(number).sample([*kinds], len(kinds)):
            path, headers = kinds[kind](number)
            started = time.perf_counter()
            _request(application, path, headers)
            took[kind].append(1000 * (time.perf_counter() - started))
    return {kind: (median(ms), quantiles(ms, n=100)[98]) for kind, ms in took.items()}


def _request(application: Any, path: str, headers: dict[str, str]) -> dict[str, str]:
    environ = RequestFactory(headers=headers, HTTP_HOST="localhost").get(path).environ
    seen: list[tuple[str, list[tuple[str, str]]]] = []
    answer = application(environ, lambda status, names: seen.append((status, names)))
    b"".join(answer)
    answer.close()
    status, names = seen[0]
    if not status.startswith(("200", "304")):
        raise RuntimeError(f"{path} was answered with {status}")
    return dict(names)
