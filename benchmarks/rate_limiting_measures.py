"""What is measured of a limiter, and how: time beside PING, traffic, memory, admissions at once."""

import itertools
import multiprocessing
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from rate_limiting_peers import PING, Contestant, Decide
from redis import Redis

LIMIT = 100
LARGE_LIMIT = 5_000
PROCESSES = 8
AT_ONCE = 2_000
ROUNDS = 25
DJANGO_ROUNDS = 15

# Addresses, because two of the peers take nothing else; random, so that a second run on the same
# server meets no client of the first.
_addresses = itertools.count(random.randrange(2**24) + (10 << 24))


def new_client() -> str:
    return ".".join(str(byte) for byte in next(_addresses).to_bytes(4))


@dataclass(frozen=True, slots=True)
class Times:
    """Microseconds per call, round by round, and those of PING beside each."""

    us: list[float] = field(default_factory=list)
    ping_us: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Return how many times as fast as PING it was, in the median of the rounds."""
        return median(ping / us for us, ping in zip(self.us, self.ping_us, strict=True))


class Bench:
    """One contestant against one Redis: it allows a hundred clients in turn, and refuses one."""

    def __init__(self, contestant: Contestant, url: str, watcher: "Redis") -> None:
        self.contestant = contestant
        self.watcher = watcher
        self.allowed, self.refused = Times(), Times()
        self.decide = contestant.make(url, LIMIT)
        self._decide_large = contestant.make(url, LARGE_LIMIT)
        self._clients = itertools.cycle([new_client() for _ in range(100)])
        self._hot = new_client()

    def memory(self) -> tuple[int, int]:
        """Spend a client's limit, the small and the large one, and return the bytes in Redis."""
        found = []
        for decide, limit in ((self.decide, LIMIT), (self._decide_large, LARGE_LIMIT)):
            decide(new_client())  # what all clients share does not count
            before = set(self.watcher.scan_iter(count=10_000))
            client = self._hot if limit == LIMIT else new_client()
            admitted = sum(decide(client) for _ in range(limit))
            if admitted != limit:
                raise RuntimeError(f"{self.contestant.name} admitted {admitted} of {limit}")
            keys = set(self.watcher.scan_iter(count=10_000)) - before
            found.append(sum(self.watcher.memory_usage(key, samples=0) or 0 for key in keys))
        return found[0], found[1]

    def traffic(self) -> tuple[str, str]:
        """Return the round trips and the commands of an allowed and of a refused decision."""
        counts = [
            self._counted(clients) for clients in (self._clients, itertools.repeat(self._hot))
        ]
        trips, commands = zip(*counts, strict=True)
        return _both(*trips), _both(*commands)

    def _counted(self, clients: "itertools.cycle[str] | itertools.repeat[str]") -> list[float]:
        calls, found = 100, []
        for _ in range(3):  # the median: pyrate-limiter sweeps from a thread of its own
            before: Any = self.watcher.info("stats")
            for client in itertools.islice(clients, calls):
                self.decide(client)
            after: Any = self.watcher.info("stats")
            found.append(
                [  # one of each is the second INFO itself
                    (after[name] - before[name] - 1) / calls
                    for name in ("total_reads_processed", "total_commands_processed")
                ]
            )
        return [round(median(each), 1) for each in zip(*found, strict=True)]

    def measure(self, ping: Decide) -> None:
        """Time one batch of each kind, and PING before and after it."""
        calls = self.contestant.calls
        if not self.contestant.only_refuses:
            self._timed(self.allowed, list(itertools.islice(self._clients, calls)), True, ping)
        if self.contestant is not PING:
            self._timed(self.refused, [self._hot] * calls, False, ping)

    def _timed(self, times: Times, clients: Sequence[str], expected: bool, ping: Decide) -> None:
        # Before as well: what follows another contestant starts with cold caches, PING like the rest.
        before_us = _ping_us(ping)
        started, cpu_started = time.perf_counter(), time.process_time()
        right = sum([self.decide(client) is expected for client in clients])
        cpu, seconds = time.process_time() - cpu_started, time.perf_counter() - started
        if right != len(clients):
            raise RuntimeError(
                f"{self.contestant.name} decided {len(clients) - right} of {len(clients)} requests"
                f" differently than {'allowed' if expected else 'refused'}"
            )
        times.us.append(seconds / len(clients) * 1e6)
        times.cpu_us.append(cpu / len(clients) * 1e6)
        times.ping_us.append((before_us + _ping_us(ping)) / 2)


def _ping_us(ping: Decide) -> float:
    started = time.perf_counter()
    for _ in range(PING.calls):
        ping("")
    return (time.perf_counter() - started) / PING.calls * 1e6


def _both(allowed: float, refused: float) -> str:
    return f"{allowed:g}" if allowed == refused else f"{allowed:g} / {refused:g}"


def race(benches: Sequence[Bench], ping: Decide, deadline: float) -> None:
    """Time all contestants in rounds, in a new order each, so that no one has the quiet moments."""
    for number in range(ROUNDS):
        for bench in random.Random(number).sample(benches, len(benches)):
            bench.measure(ping)
        if time.monotonic() > deadline:
            break


class Crowd:
    """Processes that ask for the same client at once.

    They are forked before there is any connection, and make their own.
    """

    def __init__(self, url: str) -> None:
        context = multiprocessing.get_context("fork")
        self.url = url
        self._pool = context.Pool(PROCESSES, _join_crowd, (context.Barrier(PROCESSES),))

    def admitted(self, contestant: Contestant) -> int:
        """Return how many of AT_ONCE requests of one client are admitted at LIMIT."""
        task = (contestant, self.url, new_client(), new_client())
        return sum(self._pool.map(_ask_at_once, [task] * PROCESSES, chunksize=1))

    def disperse(self) -> None:
        self._pool.terminate()
        self._pool.join()


_barrier: Any = None


def _join_crowd(barrier: Any) -> None:
    global _barrier  # a pool hands a barrier over in no other way
    _barrier = barrier


def _ask_at_once(task: tuple[Contestant, str, str, str]) -> int:
    contestant, url, client, other = task
    decide = contestant.make(url, LIMIT)
    decide(other)  # connected before the start
    _barrier.wait(timeout=20)
    return sum([decide(client) for _ in range(AT_ONCE // PROCESSES)])


def added_us(variants: Sequence[str], deadline: float) -> dict[str, float]:
    """Return the microseconds that each variant of the example adds to a whole Django request."""
    application = get_wsgi_application()
    clients = [new_client() for _ in range(100)]
    took: dict[str, list[float]] = {variant: [] for variant in ("unprotected", *variants)}
    for number in range(DJANGO_ROUNDS + 1):
        for variant in random.Random(number).sample([*took], len(took)):
            rules = "" if variant == "unprotected" else "bulk/"
            environs = [environ(f"/api/{variant}/{rules}airports/JFK/", each) for each in clients]
            started = time.perf_counter()
            for each in environs:
                request(application, each)
            took[variant].append((time.perf_counter() - started) / len(clients) * 1e6)
        if number and time.monotonic() > deadline:
            break
    base = took.pop("unprotected")[1:]  # the first round imports, connects and fills caches
    return {
        variant: median(us - without for us, without in zip(all_us[1:], base, strict=True))
        for variant, all_us in took.items()
    }


def environ(path: str, client: str) -> dict[str, Any]:
    made = RequestFactory(REMOTE_ADDR=client, HTTP_HOST="localhost").get(path)
    return made.environ


def request(application: Callable[..., Any], wsgi_environ: dict[str, Any]) -> None:
    statuses: list[str] = []
    answer = application(wsgi_environ, lambda status, _: statuses.append(status))
    b"".join(answer)
    answer.close()
    if not statuses[0].startswith("200"):
        raise RuntimeError(f"{wsgi_environ['PATH_INFO']} was answered with {statuses[0]}")
