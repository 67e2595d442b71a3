"""The lists that are measured: each is built from CIDRs as text, and asked for addresses as text.

`python ip_blacklisting_peers.py NAME COUNT` measures one of them in a process of its own, so that its
memory is its own, and prints JSON.
"""

# mypy: disable-error-code="import-not-found"
# The peers are installed where this runs, not where it is checked.

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop
from statistics import median
from typing import Any

import netaddr
import psutil
import psycopg
import pytricia
import radix
from redis import Redis
from shield.addresses import host_of, meant, parse_address, parse_network
from shield.replica import Replica
from shield.run import Run, pack
from shield.snapshot import Disk
from shield.table import Table

QUESTIONS = 20_000  # so many that no processor's cache holds what was asked before
ROUNDS = 3
NOW = 1_000.0
# As often as FireHOL's lists have them: most are addresses, then /24.
LENGTHS = (*(32,) * 70, *(24,) * 15, *range(17, 24), *range(25, 32), 16)
LENGTHS_6 = (*(64,) * 6, 48, 48, 56, 32)
MANY_LENGTHS = tuple(range(16, 33))
MANY_LENGTHS_6 = (*range(32, 69), 128)
FEEDS = 10

type Ask = Callable[[str], object]
type Build = Callable[[Sequence[str]], Ask]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A row of the table.

    Attributes:
        build: makes the list, and returns what asks it.
        most: the longest list that it is asked to hold: of a longer one a row would take minutes.
        questions: of a timed batch.
        lengths: of its networks of IPv4.
        here: whether the list lies in the memory of this process, and is the only one that did.
    """

    name: str
    build: Build
    most: int = 1_000_000
    questions: int = QUESTIONS
    here: bool = True
    lengths: Sequence[int] = LENGTHS


def networks(count: int, lengths: Sequence[int] = LENGTHS) -> Iterator[str]:
    """Yield CIDRs all over the address space, 80 of 100 IPv4: of *lengths*, or of as many of IPv6."""
    dice = random.Random(count)
    while count:
        count -= 1
        if count % 5:
            length = dice.choice(lengths)
            value = dice.randrange(1 << 24, 224 << 24) >> 32 - length << 32 - length
            yield f"{inet_ntop(AF_INET, value.to_bytes(4))}/{length}"
        else:
            length = dice.choice(LENGTHS_6 if lengths is LENGTHS else MANY_LENGTHS_6)
            value = (1 << 125 | dice.getrandbits(125)) >> 128 - length << 128 - length
            yield f"{inet_ntop(AF_INET6, value.to_bytes(16))}/{length}"


def questions(given: Sequence[str], count: int) -> list[str]:
    """Return addresses of which one half is in the list, and the other anywhere, 80 of 100 IPv4."""
    dice = random.Random(1)
    found = [each.partition("/")[0] for each in dice.choices(given, k=count // 2)]
    strangers = [
        str(IPv4Address(dice.randrange(1 << 24, 224 << 24)))
        if number % 5
        else str(IPv6Address(1 << 125 | dice.getrandbits(125)))
        for number in range(count - len(found))
    ]
    asked = [*found, *strangers]
    dice.shuffle(asked)
    return asked


def bans(given: Sequence[str]) -> Ask:
    """Fill the table of bans, in which a million may come, go and expire one by one."""
    return asker(Replica(bans=filled(given)))


def filled(given: Sequence[str]) -> Table:
    return Table((parse_network(each).key, 1_800_000_000 + n) for n, each in enumerate(given))


def feed(given: Sequence[str]) -> Ask:
    return asker(Replica(run=Run(pack(parse_network(each).span for each in given))))


def ten_feeds(given: Sequence[str]) -> Ask:
    """Make one run of ten, as the ledger does after an import."""
    parts = [
        Run(pack(parse_network(each).span for each in given[place::FEEDS]))
        for place in range(FEEDS)
    ]
    return asker(Replica(run=Run(pack(span for part in parts for span in part))))


def asker(replica: Replica) -> Ask:
    def ask(text: str) -> object:
        address = parse_address(text)
        return address is not None and replica.refuses(host_of(address), NOW)

    return ask


def changed(given: Sequence[str]) -> Ask:
    """Fill the table of bans, and make and lift a ban for each question."""
    table = filled(given)

    def change(text: str) -> object:
        key = meant(text).key
        table.add(key)
        table.remove(key)

    return change


def written(given: Sequence[str]) -> Ask:
    """Write the list to disk, as the keeper does every second in which it has changed."""
    replica = Replica(1, "mark", bans=filled(given))
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        Disk(Path(folder), lambda _digest: None).write(replica)
        return timed(replica, time.perf_counter() - begun)


def started(given: Sequence[str]) -> Ask:
    """Start a process's copy from the file on disk, as a worker does while nothing answers."""
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(Path(folder), lambda _digest: None)
        disk.write(Replica(1, "mark", bans=filled(given)))
        begun = time.perf_counter()
        last = disk.read()
        assert last is not None
        return timed(last, time.perf_counter() - begun)


def timed(replica: Replica, seconds: float) -> Ask:
    ask = asker(replica)
    ask.seconds = seconds  # type: ignore[attr-defined]  # instead of all that `build` took
    return ask


def with_pytricia(given: Sequence[str]) -> Ask:
    old, new = pytricia.PyTricia(32), pytricia.PyTricia(128)
    for each in given:
        (new if ":" in each else old)[each] = True
    return lambda text: (new if ":" in text else old).get(text)


def with_radix(given: Sequence[str]) -> Ask:
    tree = radix.Radix()
    for each in given:
        tree.add(each)
    ask: Ask = tree.search_best
    return ask


def with_netaddr(given: Sequence[str]) -> Ask:
    found = netaddr.IPSet(given)
    return lambda text: netaddr.IPAddress(text) in found


def with_ipaddress(given: Sequence[str]) -> Ask:
    """What is written without a library: one network after the other."""
    found = [ip_network(each) for each in given]

    def ask(text: str) -> object:
        address = ip_address(text)
        return any(address in network for network in found)

    return ask


def with_postgres(given: Sequence[str]) -> Ask:
    """A query for each request, over a GiST index as PostgreSQL's documentation has it."""
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    connection.execute("DROP TABLE IF EXISTS bench_networks")
    connection.execute("CREATE TABLE bench_networks (network inet)")
    with connection.cursor() as cursor:
        with cursor.copy("COPY bench_networks FROM STDIN") as copy:
            for each in given:
                copy.write_row((each,))
        cursor.execute("CREATE INDEX ON bench_networks USING gist (network inet_ops)")
        cursor.execute("ANALYZE bench_networks")
    query = "SELECT 1 FROM bench_networks WHERE network >>= %s::inet LIMIT 1"
    return lambda text: connection.execute(query, [text], prepare=True).fetchone()


def with_redis(given: Sequence[str]) -> Ask:
    """A key for each address: all that a GET can answer, for a network it cannot find."""
    store: Any = Redis.from_url(os.environ["REDIS_URL"])
    for place in range(0, len(given), 10_000):
        part = given[place : place + 10_000]
        store.mset({f"bench:{each.partition('/')[0]}": 1 for each in part})
    return lambda text: store.get(f"bench:{text}")


ALL = (
    Contestant("shield, bans", bans),
    Contestant("shield, bans of 55 lengths", bans, lengths=MANY_LENGTHS),
    Contestant("shield, a feed", feed),
    Contestant("shield, ten feeds", ten_feeds),
    Contestant("pytricia", with_pytricia),
    Contestant("pytricia of 55 lengths", with_pytricia, lengths=MANY_LENGTHS),
    Contestant("py-radix", with_radix),
    Contestant("netaddr.IPSet", with_netaddr, most=100_000),
    Contestant("ipaddress, one after the other", with_ipaddress, most=10_000, questions=40),
    Contestant("PostgreSQL, a query", with_postgres, questions=400, here=False),
    Contestant("Redis, GET of an address", with_redis, questions=400, here=False),
)
FILE = (
    Contestant("shield, bans to the file", written, here=False),
    Contestant("shield, bans from the file", started, here=False),
)
CHANGE = Contestant("shield, a ban made and lifted", changed)


def measure(contestant: Contestant, count: int) -> dict[str, float]:
    """Return microseconds of a lookup, seconds to build, and megabytes that the process grew."""
    given = list(networks(count, contestant.lengths))
    asked = questions(given, contestant.questions)
    process = psutil.Process()
    before = process.memory_info().rss
    begun = time.perf_counter()
    ask = contestant.build(given)
    build = getattr(ask, "seconds", time.perf_counter() - begun)
    grown = process.memory_info().rss - before
    spent = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for text in asked:
            ask(text)
        spent.append((time.perf_counter() - begun) / len(asked))
    return {"us": 1e6 * median(spent), "seconds": build, "megabytes": grown / 1e6}


if __name__ == "__main__":
    (wanted,) = [each for each in (*ALL, *FILE, CHANGE) if each.name == sys.argv[1]]
    print(json.dumps(measure(wanted, int(sys.argv[2]))))
