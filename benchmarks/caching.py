"""Measures the layers of the example beside its peers, in one run on one Redis and one PostgreSQL.

Another machine, or the same one in another minute, gives other microseconds; what holds is the
ratio to Django's `cache.get`, which is timed in the same rounds. `make bench EXAMPLE=caching` sees
to the services, the packages of caching.txt and the example on PYTHONPATH.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from footing import redis_server
from outcome import Cell, Measured, versions
from rich.console import Console

if TYPE_CHECKING:
    from caching_measures import Bench

COLUMNS = (
    "cache",
    "hits per s",
    "hit, x Django's cache.get",
    "miss, µs",
    "miss, x Django's",
    "computations for 40 at once",
    "request p50, ms",
    "request p99, ms",
    "MiB after 1,000,000 keys",
)
RACE_SECONDS = 25.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the layers beside their peers.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    url = os.environ.get("REDIS_URL", "")
    server = redis_server(url)
    try:
        set_up_django(url)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    measured = run(url)
    measured.show("The layers beside their peers")
    if output:
        from caching_peers import PACKAGES

        measured.write(output, versions(server, PACKAGES))
    return 0


def set_up_django(url: str) -> None:
    """Take the example's own settings and data, and add what a peer needs."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ.setdefault("SECRET_KEY", "benchmark " * 6)
    settings.CACHES["django-redis"] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient"},
    }
    django.setup()
    logging.disable(logging.WARNING)
    call_command("prepare")


def run(url: str) -> Measured:
    import caching_measures as measures  # these import the example, which needs settings
    import caching_memory as memory
    import caching_peers as peers
    from flights.models import Airport

    status = Console(stderr=True).status("")
    with status:
        status.update("a million keys through the local layer")
        used = memory.used_bytes()
        benches = [measures.Bench(each, each.make(url)) for each in peers.ALL]
        for bench in benches:
            status.update(f"warming up: {bench.contestant.name}")
            bench.warm()
        status.update(f"at most {measures.ROUNDS} rounds of all of them")
        measures.race(benches, time.monotonic() + RACE_SECONDS)
        status.update("a cold crowd for each")
        crowd = {bench.contestant.name: bench.at_once() for bench in benches}
        status.update("whole requests through Django")
        codes = Airport.objects.order_by("pk").values_list("pk", flat=True)
        latency = measures.requests_ms([*codes[: measures.REQUESTS + 1]])

    rows = [row(bench, benches[0], crowd) for bench in benches]
    answered = {
        "layered, local layer": "local",
        "layered, Redis": "redis",
        "Django RedisCache, get_or_set": "get_or_set",
    }
    for cells in rows:
        kind = answered.get(str(cells[0]))
        cells += [round(ms, 2) for ms in latency[kind]] if kind else ["", ""]
        cells.append(round(used / 2**20, 1) if kind == "local" else "")
    for kind, name in (
        ("304", "layered, 304 from the local layer"),
        ("computed", "layered, computed"),
        ("uncached", "no cache"),
    ):
        rows.append([name, *[""] * 5, *(round(ms, 2) for ms in latency[kind]), ""])
    return Measured(COLUMNS, rows, [*goals(benches, used, memory.BOUND)])


def row(bench: "Bench", base: "Bench", crowd: Mapping[str, int]) -> list[Cell]:
    from caching_measures import ratio

    name, missed = bench.contestant.name, bool(bench.miss_us)
    return [
        name,
        round(1e6 / median(bench.hit_us)),
        round(ratio(bench.hit_us, base.hit_us), 2),
        round(median(bench.miss_us)) if missed else "",
        round(ratio(base.miss_us, bench.miss_us), 2) if missed else "",
        crowd[name],
    ]


def goals(benches: "list[Bench]", used_bytes: int, bound_bytes: int) -> Iterator[tuple[bool, str]]:
    """Yield the goals of this example, each with whether this run met it."""
    from caching_measures import ratio

    stock, local, redis, *_ = benches
    near, far = (ratio(each.hit_us, stock.hit_us) for each in (local, redis))
    miss = ratio(stock.miss_us, redis.miss_us)
    yield near >= 50, f"a hit in the local layer at >= 50 x Django's cache.get: {near:.0f}"
    yield far >= 1, f"a hit in Redis at >= 1.0 x Django's cache.get: {far:.2f}"
    yield miss <= 1.3, f"a miss under a lease in <= 1.3 x an unprotected one: {miss:.2f}"
    used, bound = used_bytes / 2**20, bound_bytes / 2**20
    yield (
        used_bytes <= bound_bytes,
        f"the local layer after 1,000,000 keys within its {bound:.0f} MiB: {used:.1f} MiB resident",
    )


if __name__ == "__main__":
    sys.exit(main())
