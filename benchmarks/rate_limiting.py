"""Measures the token bucket of the example beside its peers, in one run on one Redis.

Another machine, or the same one in another minute, gives other microseconds; what holds is the
ratio to PING, which is timed beside each batch. `python benchmarks/rate_limiting.py` needs
REDIS_URL, the example on PYTHONPATH and the packages of rate_limiting.txt; `make bench` sees to it.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import django
from django.conf import settings
from footing import redis_server
from outcome import Cell, Measured, versions
from redis import Redis
from rich.console import Console

if TYPE_CHECKING:
    from rate_limiting_measures import Bench

COLUMNS = (
    "limiter",
    "allowed, x PING",
    "refused, x PING",
    "round trips",
    "commands",
    "client CPU, µs",
    "bytes, limit 100",
    "bytes, limit 5,000",
    "admitted of 2,000",
    "added per Django request, µs",
)
RACE_ENDS_SECONDS = 46  # after the start, on however slow a machine
DJANGO_ENDS_SECONDS = 53


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the token bucket beside its peers.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    url = os.environ.get("REDIS_URL", "")
    server = redis_server(url)
    set_up_django(url)
    measured = run(url)
    measured.show("The token bucket beside its peers")
    if output:
        from rate_limiting_peers import PACKAGES

        measured.write(output, versions(server, PACKAGES))
    return 0


def set_up_django(url: str) -> None:
    """Take the example's own settings, and add what a peer needs."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ.setdefault("SECRET_KEY", "benchmark " * 5)
    settings.CACHES["django-redis"] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient"},
    }
    django.setup()
    logging.disable(logging.WARNING)


def run(url: str) -> Measured:
    """Measure everything; the crowd comes first, for it must be forked before there are threads."""
    import rate_limiting_measures as measures  # these import the example, which needs settings
    import rate_limiting_peers as peers

    started = time.monotonic()
    status = Console(stderr=True).status("")
    with status:
        crowd = measures.Crowd(url)
        admitted: dict[str, int] = {}
        for contestant in peers.ALL:
            if not contestant.only_refuses:
                status.update(f"{measures.AT_ONCE} requests at once: {contestant.name}")
                admitted[contestant.name] = crowd.admitted(contestant)
        crowd.disperse()

        watcher, ping = Redis.from_url(url), peers.PING.make(url, 0)
        benches = [measures.Bench(each, url, watcher) for each in (peers.PING, *peers.ALL)]
        memory: dict[str, tuple[int, int]] = {}
        traffic: dict[str, tuple[str, str]] = {}
        for bench in benches:
            name = bench.contestant.name
            status.update(f"memory and traffic: {name}")
            if bench.contestant is not peers.PING:
                memory[name] = bench.memory()
            if not bench.contestant.only_refuses:
                traffic[name] = bench.traffic()
        status.update(f"at most {measures.ROUNDS} rounds of all of them")
        measures.race(benches, ping, started + RACE_ENDS_SECONDS)
        status.update("whole requests through Django")
        variants = {"token_bucket": peers.OURS, "drf_throttle": peers.DRF}
        variants["django_ratelimit"] = peers.REDIS_CACHE
        settings.RATELIMIT_USE_CACHE = "default"  # the last contestant may have set another
        latency = measures.added_us([*variants], started + DJANGO_ENDS_SECONDS)
        added = {variants[variant].name: us for variant, us in latency.items()}

    rows = [row(bench, traffic, memory, admitted, added) for bench in benches]
    return Measured(COLUMNS, rows, [*goals(benches, admitted, added)])


def row(
    bench: "Bench",
    traffic: Mapping[str, tuple[str, str]],
    memory: Mapping[str, tuple[int, int]],
    admitted: Mapping[str, int],
    added: Mapping[str, float],
) -> list[Cell]:
    name, allowed, refused = bench.contestant.name, bench.allowed, bench.refused
    return [
        name,
        round(allowed.ratio, 2) if allowed.us else "",
        round(refused.ratio, 2) if refused.us else "",
        *traffic.get(name, ("", "")),
        round(median(allowed.cpu_us or refused.cpu_us), 1),
        *memory.get(name, ("", "")),
        admitted.get(name, ""),
        round(added[name]) if name in added else "",
    ]


def goals(
    benches: Sequence["Bench"], admitted: Mapping[str, int], added: Mapping[str, float]
) -> Iterator[tuple[bool, str]]:
    """Yield the goals of this example, each with whether this run met it."""
    _, ours, three, hot, *others = benches
    exact = [each for each in others if admitted[each.contestant.name] == 100]
    best = max(exact, key=lambda each: each.allowed.ratio)
    times = [a / b for a, b in zip(three.allowed.us, ours.allowed.us, strict=True)]
    ratio = ours.allowed.ratio
    yield ratio >= 1, f"an allowed decision at >= 1.0 x PING: {ratio:.2f}"
    yield (
        ratio > best.allowed.ratio,
        f"ahead of every peer that admits exactly 100: {ratio:.2f}, the best of them"
        f" {best.allowed.ratio:.2f} ({best.contestant.name})",
    )
    yield median(times) <= 1.2, f"three policies in <= 1.2 x the time of one: {median(times):.2f}"
    yield hot.refused.ratio >= 20, f"a refused hot client at >= 20 x PING: {hot.refused.ratio:.0f}"
    us = added[ours.contestant.name]
    yield us > 0, f"added latency per Django request reported: {us:.0f} µs"


if __name__ == "__main__":
    sys.exit(main())
