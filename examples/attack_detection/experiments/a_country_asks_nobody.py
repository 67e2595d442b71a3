"""Lines of addresses that the file of countries knows, and of those that it does not."""

import json
import random
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import psycopg
from redis import Redis

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    until,
)

from . import LINES

ROWS = 500  # of an entry
PER_LINE = 0.25  # commands that are allowed
SENT_HERE = ("cmdstat_info", "cmdstat_xadd")
# Delegated to one country each; in no record at all; in one that names a continent alone.
NETWORKS = {
    "JP": "133.0.0.0/8",
    "DE": "53.0.0.0/8",
    "unknown": "100.64.0.0/10",
    "continent": "139.191.0.0/16",
}


class ACountryAsksNobody(Experiment):
    slug = "a-country-asks-nobody"
    claim = (
        "2,000 lines of 1,000 addresses, half of which are in no record of the file of countries or in "
        "one without a country, are kept with their country or with none, and Redis is sent at most "
        "500 commands meanwhile."
    )
    holds = ("detector",)
    refuted = ("thresholds",)
    wrong = Series("lines without their country")
    asked = Series("commands")
    chart = Chart(asked, "commands to Redis", x="lines")
    parameters = (Parameter("lines", 2_000, 2_000, 20_000, "lines"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        mark = f"place-{random.randrange(2**64):x}"
        rows = [row for row in sightings(mark, int(params["lines"]) // 2) for _ in "12"]
        with (
            psycopg.connect(stack.services["postgres"], autocommit=True) as database,
            Redis.from_url(stack.services["redis"]) as store,
        ):
            before = commands(store)
            yield clock_starts()
            for sent in range(ROWS, len(rows) + 1, ROWS):
                entry = {"rows": json.dumps(rows[sent - ROWS : sent])}
                store.xadd(f"seen:{variant}", entry)
                until(lambda sent=sent: sum(kept(database, mark)) >= sent, 20)
                wrong = sent - kept(database, mark)[0]
                yield self.wrong(wrong, x=sent)
                yield self.asked(commands(store) - before, x=sent)
                if wrong:  # and what a variant does not get past is not left to the next claim
                    store.delete(f"seen:{variant}")
                    return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        lines = int(params["lines"])
        words = "{measured} commands to Redis for " + f"{lines:,} lines, {{bound}} allowed"
        wrong = f"{{measured}} of {lines:,} lines without their country"
        return Verdict.at_most(samples.last(self.asked), PER_LINE * lines, words) & (
            Verdict.at_most(samples.last(self.wrong), 0, wrong)
        )


def sightings(mark: str, addresses: int) -> Iterator[list[object]]:
    """Yield what processes would have seen of addresses in each of the networks in turn."""
    for number in range(addresses):
        name = list(NETWORKS)[number % len(NETWORKS)]
        network = IPv4Network(NETWORKS[name])
        address = IPv4Address(int(network[0]) + random.randrange(network.num_addresses))
        yield [f"{address}/32", "missing", f"/{mark}/{name}", "", "address", 404]


def kept(database: "psycopg.Connection", mark: str) -> tuple[int, int]:
    """Return how many lines are kept with the country of their path, and how many are not."""
    query = f"SELECT path, country, count(*) FROM {LINES} WHERE path LIKE %s GROUP BY 1, 2"  # noqa: S608
    found = database.execute(query, [f"/{mark}/%"]).fetchall()  # type: ignore[arg-type]
    right = 0
    for path, country, count in found:
        name = path.rpartition("/")[2]
        right += count if country == (name if len(name) == 2 else "") else 0
    return right, sum(count for _, _, count in found) - right


def commands(store: "Redis") -> int:
    """Return how many commands the server has had, but for those that are sent here."""
    stats = store.info("commandstats")
    return sum(each["calls"] for name, each in stats.items() if name not in SENT_HERE)  # type: ignore[union-attr]
