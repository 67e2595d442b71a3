"""Measures the list of the example beside its peers, in one run on one Redis and one PostgreSQL.

Another machine, or the same one in another minute, gives other microseconds; what holds is their order
and how they grow. `make bench EXAMPLE=ip_blacklisting` sees to the services, the packages of
ip_blacklisting.txt and the example on PYTHONPATH.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from footing import measured_alone, redis_server
from outcome import Cell, Measured, versions
from rich.console import Console

SIZES = (10_000, 100_000, 1_000_000)
COLUMNS = (
    "list, or way to tell of a change",
    "lookup in 10,000, µs",
    "in 100,000, µs",
    "in 1,000,000, µs",
    "at the longest: MB",
    "built in s",
    "seen by 4 processes, p50 ms",
    "p99 ms",
)
PACKAGES = ("pytricia", "py-radix", "netaddr", "psycopg", "redis")
WAYS = {"stream": "Redis Stream", "pubsub": "Redis Pub/Sub", "poll": "a question a second"}

type Found = Mapping[str, Mapping[int, dict[str, float]]]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the list beside its peers.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    url = os.environ.get("REDIS_URL", "")
    if "DATABASE_URL" not in os.environ:
        print("DATABASE_URL is not set; `make bench` starts PostgreSQL", file=sys.stderr)
        return 1
    server = redis_server(url)
    measured = run(url)
    measured.show("The list beside its peers")
    if output:
        measured.write(output, versions(server, PACKAGES))
    return 0


def run(url: str) -> Measured:
    import ip_blacklisting_measures as measures
    import ip_blacklisting_peers as peers

    script = Path(peers.__file__)
    status = Console(stderr=True).status("")
    found: dict[str, dict[int, dict[str, float]]] = {}
    with status:
        for contestant in (*peers.ALL, *peers.FILE, peers.CHANGE):
            for size in SIZES:
                if size <= contestant.most:
                    status.update(f"{contestant.name}, {size:,} networks")
                    found.setdefault(contestant.name, {})[size] = measured_alone(
                        script, contestant.name, str(size)
                    )
        status.update("200 changes in each of three ways")
        heard = {way: measures.propagation_ms(url, way) for way in measures.LISTENERS}  # type: ignore[arg-type]  # its keys
    rows: list[list[Cell]] = [
        row(each.name, found[each.name], each.here) for each in (*peers.ALL, *peers.FILE)
    ]
    rows += [
        [WAYS[way], *[""] * 5, round(p50, 1), round(p99, 1)] for way, (p50, p99) in heard.items()
    ]
    return Measured(COLUMNS, rows, [*goals(found, heard["stream"][1])])


def row(name: str, sizes: Mapping[int, dict[str, float]], here: bool) -> list[Cell]:
    longest = sizes[max(sizes)]
    lookups = [round(sizes[size]["us"], 1) if size in sizes else "" for size in SIZES]
    megabytes = round(longest["megabytes"]) if here else ""
    return [name, *lookups, megabytes, round(longest["seconds"], 2), "", ""]


def goals(found: Found, stream_ms: float) -> Iterator[tuple[bool, str]]:
    """Yield the goals of this example, each with whether this run met it."""
    for name in ("shield, bans", "shield, a feed"):
        few, many = found[name][SIZES[0]], found[name][SIZES[-1]]
        growth = many["us"] / few["us"]
        yield growth <= 5, f"{name}: a lookup in 1,000,000 at <= 5 x one in 10,000: {growth:.1f}"
        megabytes = many["megabytes"]
        yield megabytes <= 160, f"{name}: 1,000,000 in <= 160 MB: {megabytes:.0f}"
    few, many = (
        found["shield, a ban made and lifted"][size]["us"] for size in (SIZES[0], SIZES[-1])
    )
    growth = many / few
    yield growth <= 5, f"a ban made and lifted in 1,000,000 at <= 5 x one in 10,000: {growth:.1f}"
    for way, most in (("to", 5), ("from", 3)):
        seconds = found[f"shield, bans {way} the file"][SIZES[-1]]["seconds"]
        yield seconds <= most, f"1,000,000 bans {way} the file in <= {most} s: {seconds:.1f}"
    yield stream_ms <= 1_000, f"a change in 4 processes within 1,000 ms, p99: {stream_ms:.0f}"
    # Against the tree of the most usual networks, also where its own is slower with the same ones.
    trie = found["pytricia"][SIZES[-1]]["us"]
    for name in (
        "shield, bans",
        "shield, bans of 55 lengths",
        "shield, a feed",
        "shield, ten feeds",
    ):
        times = found[name][SIZES[-1]]["us"] / trie
        yield times <= 2, f"{name}: a lookup in 1,000,000 at <= 2 x pytricia: {times:.1f}"


if __name__ == "__main__":
    sys.exit(main())
