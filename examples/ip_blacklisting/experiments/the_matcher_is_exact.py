"""The list of a process beside Python's `ipaddress`, through random changes that PostgreSQL is told."""

import random
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network

import psycopg

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
    rest,
)

from . import Operator, states

WIDTH = {4: 32, 6: 128}
FEEDS = ("exact-one", "exact-two")
MOST = 5_000  # addresses of one question
WIDE, NARROW = (11, 13, 15, 24, 28), (16, 17, 24, 28)  # of networks of a feed, of a ban
NEVER, OVER, LATER = None, "1 second ago", "1 hour"  # when a ban ends

type Net = tuple[int, int, int]  # version, value, length
type Place = tuple[int, int]  # version, value


class TheMatcherIsExact(Experiment):
    """Networks that lie in each other come, go and expire; exceptions are made; a feed is replaced."""

    slug = "the-matcher-is-exact"
    claim = (
        "Through random bans, exceptions, ends, expiries and feeds the list says what Python's ipaddress "
        "says, for 50,000 random addresses and those at the edges of every network."
    )
    holds = ("shield",)
    refuted = ("bisect",)
    wrong = Series("answers")
    addresses = Series("addresses")
    chart = Chart(wrong, "wrong answers", x="addresses asked for", bound=0)
    parameters = (Parameter("rounds", 8, 1, 200, "rounds"),)

    BANS, EXCEPTIONS, CHANGES, FEED, RANDOM = 400, 40, 200, 200, 6_300

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        dice, operator = random.Random(20261128), Operator(stack, variant)
        bans: dict[Net, str | None] = {}
        asked = wrong = 0
        with psycopg.connect(stack.services["postgres"], autocommit=True) as database:
            try:
                for _ in range(int(params["rounds"])):
                    exceptions, feed = some(dice, self.EXCEPTIONS), some(dice, self.FEED, WIDE)
                    gone = dice.sample(sorted(bans), min(self.CHANGES, len(bans)))
                    bans = {net: end for net, end in bans.items() if net not in gone}
                    new = some(dice, self.BANS - len(bans)) - set(bans)
                    bans |= {net: dice.choice((NEVER, OVER, LATER)) for net in new}
                    listed = [*feed, *(net for net, end in bans.items() if end != OVER)]
                    if variant not in self.refuted:
                        change(database, gone, {net: bans[net] for net in new}, exceptions)
                        for name, part in zip(FEEDS, halves(feed), strict=True):
                            operator.feed(name, text(part))
                        seq = number(database)
                        states(stack, lambda state, least=seq: state["seq"] >= least)
                    else:
                        operator.feed(FEEDS[0], text(listed))
                        exceptions = set()
                        rest(1.5)  # it reads its rows once a second
                    oracle = Oracle(listed, exceptions)
                    questions = [*edges({*listed, *exceptions}), *self._random(dice)]
                    wrong += self._wrong(operator, oracle, questions)
                    asked += len(questions)
                    yield self.addresses(asked)
                    yield self.wrong(wrong, x=asked)
                    if wrong > asked / 10:
                        return
            finally:
                database.execute("DELETE FROM bans_ban")
                for name in FEEDS:
                    operator.drop_feed(name)

    def _wrong(self, operator: Operator, oracle: "Oracle", questions: list[Place]) -> int:
        """Ask whichever process answers, and return how many answers are not the oracle's."""
        wrong = 0
        for start in range(0, len(questions), MOST):
            part = questions[start : start + MOST]
            said = operator.refused([written(place) for place in part])
            wrong += sum(
                each != oracle.refuses(place) for each, place in zip(said, part, strict=True)
            )
        return wrong

    def _random(self, dice: random.Random) -> Iterator[Place]:
        for version, value, length in (some_network(dice) for _ in range(self.RANDOM)):
            yield version, value | dice.getrandbits(WIDTH[version] - length)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.addresses):,.0f} addresses wrong"
        return Verdict.at_most(samples.last(self.wrong), 0, words)


class Oracle:
    """Who is refused, as the standard library says: one network after the other."""

    def __init__(self, listed: Iterable[Net], exceptions: Iterable[Net]) -> None:
        self._listed, self._exceptions = bounds(listed), bounds(exceptions)

    def refuses(self, place: Place) -> bool:
        version, value = place
        if any(first <= value <= last for first, last in self._exceptions[version]):
            return False
        return any(first <= value <= last for first, last in self._listed[version])


def bounds(networks: Iterable[Net]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
    for network in networks:
        each = ip_network(cidr(network))
        found[each.version].append((int(each.network_address), int(each.broadcast_address)))
    return found


def written(place: Place) -> str:
    version, value = place
    return str(IPv4Address(value) if version == 4 else IPv6Address(value))


def cidr(network: Net) -> str:
    version, value, length = network
    return f"{written((version, value))}/{length}"


def text(networks: Iterable[Net]) -> str:
    return "\n".join(map(cidr, networks))


def halves(networks: Iterable[Net]) -> tuple[list[Net], list[Net]]:
    """Return two lists, as of two publishers: networks of one lie in those of the other."""
    ordered = sorted(networks)
    return ordered[::2], ordered[1::2]


def some(dice: random.Random, count: int, widths: tuple[int, ...] = NARROW) -> set[Net]:
    return {some_network(dice, widths) for _ in range(count)}


def some_network(dice: random.Random, widths: tuple[int, ...] = NARROW) -> Net:
    """Return a network of a small space, so that many lie in each other; a third of them IPv6.

    One in thirty lies elsewhere, and may be so wide that here it would contain all others.
    """
    if dice.random() < 1 / 30:
        length = dice.choice(widths)
        return 4, (0x60 << 24 | dice.getrandbits(22)) >> 32 - length << 32 - length, length
    version = dice.choice((4, 4, 6))
    # Of IPv6 nothing is narrower than what one host has: a feed widens it, as a ban by hand does.
    length = dice.choice((*range(18, 33), 32, 24) if version == 4 else (44, 48, 53, 56, 60, 64))
    value = 0xC6120000 + dice.getrandbits(15) if version == 4 else 0x2A000DB8 << 96
    if version == 6:
        value += dice.getrandbits(6) << 80 | dice.getrandbits(12) << 64
    shift = WIDTH[version] - length
    return version, value >> shift << shift, length


def edges(networks: Iterable[Net]) -> Iterator[Place]:
    """Yield the first and last address of each, and its neighbours outside."""
    for version, value, length in networks:
        last = value | ((1 << WIDTH[version] - length) - 1)
        for each in (value - 1, value, last, last + 1):
            yield version, each


def change(
    database: "psycopg.Connection",
    gone: list[Net],
    new: dict[Net, str | None],
    exceptions: set[Net],
) -> None:
    """Write past the service, in one transaction: of what goes one half is deleted, the other expires."""
    half = len(gone) // 2
    insert = (
        "INSERT INTO bans_ban (network, kind, expires) VALUES (%s, %s, now() + %s::interval)"
        " ON CONFLICT (network, kind) DO UPDATE SET expires = EXCLUDED.expires"
    )
    delete = "DELETE FROM bans_ban WHERE kind = 'allow' OR network = ANY(%s::cidr[])"
    expire = (
        "UPDATE bans_ban SET expires = now() - interval '1 second' WHERE network = ANY(%s::cidr[])"
    )
    with database.transaction(), database.cursor() as cursor:
        cursor.execute(delete, [[cidr(each) for each in gone[:half]]])
        cursor.execute(expire, [[cidr(each) for each in gone[half:]]])
        cursor.executemany(insert, [(cidr(net), "deny", end) for net, end in new.items()])
        cursor.executemany(insert, [(cidr(net), "allow", NEVER) for net in exceptions])


def number(database: "psycopg.Connection") -> int:
    row = database.execute("SELECT max(seq) FROM bans_change").fetchone()
    return int(row[0]) if row else 0
