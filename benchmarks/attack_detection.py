"""Measures the detector beside two ways of counting: the example's thresholds, and limits' moving window.

Other machines give other figures; what holds is how they grow with the number of clients, and their ratios.
`make bench EXAMPLE=attack_detection` sees to the services, the packages of attack_detection.txt and the
example on PYTHONPATH.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING

import django
from footing import measured_alone, redis_server
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from outcome import Cell, Measured, versions
from rich.console import Console

if TYPE_CHECKING:
    from detector.sightings import Sighting, Verdict
    from kept.keeper import Pipeline

SIZES = (10_000, 100_000, 1_000_000)  # clients
LEAST = 300_000  # events of a measurement
RULES = ("detector", "thresholds", "limits")
FAILING = 5  # each fifth event is a failed login
KEPT = 50_000  # events that go through the keeper
LOOKUPS = 5_000  # countries
COLUMNS = (
    "who judges",
    "10,000 clients, events/s",
    "100,000, events/s",
    "1,000,000, events/s",
    "at the most: MB",
    "ten minutes of traffic, events/s",
    "in the keeper, events/s",
)
PACKAGES = ("django", "limits", "psycopg", "redis")


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure the detector beside two ways of counting."
    )
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    parser.add_argument("--one", nargs=2, metavar=("RULE", "WHAT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(*arguments.one)))
        return 0
    url = os.environ.get("REDIS_URL", "")
    if "DATABASE_URL" not in os.environ:
        print("DATABASE_URL is not set; `make bench` starts PostgreSQL", file=sys.stderr)
        return 1
    server = redis_server(url)
    measured = run()
    measured.show("The detector beside two ways of counting")
    if arguments.output:
        measured.write(arguments.output, versions(server, PACKAGES))
    return 0


def run() -> Measured:
    whats = (*map(str, SIZES), "traffic", "keeper")
    found: dict[str, dict[str, dict[str, float]]] = {}
    with Console(stderr=True).status("") as status:
        for rule in RULES:
            for what in whats:
                status.update(f"{rule}, {what}")
                found.setdefault(rule, {})[what] = measured_alone(
                    Path(__file__), "--one", rule, what
                )
    rows: list[list[Cell]] = []
    for rule, of in found.items():
        sizes = [round(of[str(size)]["events"]) for size in SIZES]
        megabytes = round(of[str(SIZES[-1])]["megabytes"])
        kept = [round(of[what]["events"]) for what in ("traffic", "keeper")]
        rows.append([rule, *sizes, megabytes, *kept])
    found["detector"]["country"] = measured_alone(Path(__file__), "--one", "detector", "country")
    return Measured(COLUMNS, rows, [*goals(found["detector"])])


def goals(of: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[bool, str]]:
    few, many = of[str(SIZES[0])], of[str(SIZES[-1])]
    slower = few["events"] / many["events"]
    yield slower <= 2, f"an event of 1,000,000 clients at <= 2 x one of 10,000: {slower:.1f}"
    yield many["megabytes"] <= 25, f"1,000,000 clients in <= 25 MB: {many['megabytes']:.0f}"
    judging = of["keeper"]["events"] / of[str(SIZES[1])]["events"]
    yield judging <= 0.5, f"judging takes <= 0.5 of the keeper's time: {judging:.2f}"
    file, cache = of["country"]["file"], of["country"]["cache"]
    words = f"{file / cache:.2f}, {file:.0f} us of {cache:.0f} us"
    yield file <= 0.5 * cache, f"a country in the file takes <= 0.5 of a question to Redis: {words}"


class Limits:
    """The thresholds of the example, counted by a package (https://limits.readthedocs.io/)."""

    def __init__(self) -> None:
        self.window = MovingWindowRateLimiter(MemoryStorage())
        self.requests = RateLimitItemPerSecond(30, 10)
        self.failures = RateLimitItemPerSecond(5, 10)

    def observe(self, seen: "Sighting") -> "list[Verdict]":
        from detector.sightings import Verdict

        served = self.window.hit(self.requests, seen.client)
        if seen.kind == "login failed":
            served &= self.window.hit(self.failures, seen.client)
        return [] if served else [Verdict(seen.client, "all", "too many")]


def one(name: str, what: str) -> dict[str, float]:
    """Return events a second of one rule, and the MB that the process has grown by."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from flights.variants import VARIANTS
    from kept.keeper import Pipeline
    from kept.memory import peak_kb
    from replay.traffic import traffic

    if what == "country":
        return country_or_cache()
    pipeline = VARIANTS[name].pipeline() if name in VARIANTS else Pipeline(Limits())
    if what == "keeper":
        return {"events": through_keeper(name, pipeline)}
    if what == "traffic":
        seen: Iterable[Sighting] = [sent.sighting for sent in traffic(1)]
    else:
        seen = strangers(int(what), max(int(what), LEAST))
    before, count, started = peak_kb(), 0, time.perf_counter()
    for count, each in enumerate(seen, 1):  # noqa: B007 -- the last one says how many
        pipeline.rule.observe(each)
    seconds = time.perf_counter() - started
    return {"events": count / seconds, "megabytes": (peak_kb() - before) / 1_000}


def strangers(clients: int, events: int) -> "Iterator[Sighting]":
    """Yield so many events of so many /64s in ten minutes, in turn."""
    from detector.sightings import Sighting

    for number in range(events):
        of = number % clients
        client = f"2001:db8:{of >> 16:x}:{of & 0xFFFF:x}::/64"
        kind, account = ("ok", "") if number % FAILING else ("login failed", f"account {number}")
        yield Sighting(number * 600 / events, client, kind, "/", account)  # type: ignore[arg-type]  # of the pair


def through_keeper(name: str, pipeline: "Pipeline") -> float:
    """Return events a second that are read from the stream, kept, judged and deleted."""
    from django.conf import settings
    from django.core.management import call_command
    from kept import stream
    from kept.keeper import Keeper
    from kept.redis import connect

    call_command("migrate", verbosity=0)
    redis = connect(settings.REDIS_URL)
    for batch in batched(strangers(KEPT, KEPT), stream.ROWS, strict=False):
        stream.send(redis, [(name, each) for each in batch])
    keeper = Keeper(redis, {name: pipeline})
    started = time.perf_counter()
    while redis.xlen(stream.key(name)):
        keeper.step()
    return KEPT / (time.perf_counter() - started)


def country_or_cache() -> dict[str, float]:
    """Return microseconds of a country in the file, and of a question to Redis."""
    from django.conf import settings
    from kept.countries import country
    from kept.redis import connect

    asked = {"file": country, "cache": connect(settings.REDIS_URL).get}
    found = {}
    for what, ask in asked.items():
        started = time.perf_counter()
        for number in range(LOOKUPS):
            ask(f"133.{number >> 8}.{number & 255}.1/32")
        found[what] = (time.perf_counter() - started) / LOOKUPS * 1e6
    return found


if __name__ == "__main__":
    sys.exit(main())
