"""A matcher against the truth: random networks come, go and expire, and `ipaddress` says who lies in them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from flights.guards.bisect import Ranges
from shield.addresses import WIDTH, Address, Network
from shield.matcher import Feed, Matcher
from shield.run import Run
from shield.table import NEVER, Entry

NOW = 1_000.0
ROUNDS, NETWORKS, CHANGES, RANDOM = 10, 400, 200, 2_000  # for each seed


@dataclass(frozen=True, slots=True)
class Checked:
    """How many addresses were asked for so far, and how many answers were wrong."""

    addresses: int
    wrong: int


def some_network(dice: random.Random) -> Network:
    """Return a network of a small space, so that many lie in each other; a third of them IPv6."""
    version = dice.choice((4, 4, 6))
    length = dice.choice(
        (*range(18, 33), 32, 24) if version == 4 else (44, 48, 56, 60, 64, 96, 127, 128)
    )
    value = 0xC6120000 + dice.getrandbits(15) if version == 4 else 0x20010DB8 << 96
    if version == 6:
        value += dice.getrandbits(6) << 80 | dice.getrandbits(4) << 64 | dice.getrandbits(5)
    shift = WIDTH[version] - length
    return Network(version, value >> shift << shift, length)


def boundaries(networks: list[Network]) -> Iterator[Address]:
    """Yield the first and last address of each, and its neighbours outside."""
    for version, value, length in networks:
        last = value | ((1 << WIDTH[version] - length) - 1)
        for number in (value - 1, value, last, last + 1):
            if 0 <= number < 1 << WIDTH[version]:
                yield Address(version, number)


def check(seed: int, variant: str) -> Iterator[Checked]:
    """Change a list at random, and compare after each round; yield the sums so far."""
    dice = random.Random(seed)  # noqa: S311 -- no secrets
    expires: dict[Network, int] = {}
    matcher = Matcher()
    addresses = wrong = 0
    for _ in range(ROUNDS):
        for network, expiry in _changes(dice, expires):
            if expiry is None:
                matcher.bans.remove(network)
                del expires[network]
            else:
                matcher.bans.add(network, Entry(1, expiry, 1, False))
                expires[network] = expiry
        feed = {some_network(dice) for _ in range(CHANGES)}
        matcher.feeds = {"feed": Feed(2, "feed", Run.of(feed))}
        active = [each for each, expiry in expires.items() if expiry == NEVER or expiry > NOW]
        active += feed
        ranges = Ranges(active)
        oracle = Oracle(active)
        questions = [*boundaries(active), *(_random_address(dice) for _ in range(RANDOM))]
        for address in questions:
            found = address in ranges if variant == "bisect" else bool(matcher.find(address, NOW))
            wrong += found != oracle.contains(address)
        addresses += len(questions)
        yield Checked(addresses, wrong)


class Oracle:
    """Who lies in which network, as the standard library says: one network after the other."""

    def __init__(self, networks: list[Network]) -> None:
        self._networks = [ip_network(str(network)) for network in networks]
        self._bounds = [
            (each.version, int(each.network_address), int(each.broadcast_address))
            for each in self._networks
        ]

    def contains(self, address: Address) -> bool:
        version, value = address
        return any(
            which == version and first <= value <= last for which, first, last in self._bounds
        )


def _changes(
    dice: random.Random, expires: dict[Network, int]
) -> Iterator[tuple[Network, int | None]]:
    while len(expires) < NETWORKS:
        yield some_network(dice), dice.choice((NEVER, 900, 1_000, 1_001, 2_000))
    for network in dice.sample(list(expires), CHANGES):
        yield network, dice.choice((None, NEVER, 900, 2_000))


def _random_address(dice: random.Random) -> Address:
    network = some_network(dice)
    return Address(
        network.version, network.value | dice.getrandbits(WIDTH[network.version] - network.length)
    )
