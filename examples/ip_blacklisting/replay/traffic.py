"""People, and six kinds of attackers among them; a seed decides everything.

People: 480 with an address each, of whom 12 mistype their password up to five times, and 20 exits of
providers with 40 people behind each. Their bookmarks are old: three of a hundred requests find nothing.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shield.addresses import Network, parse_network
from shield.scores import Event, Kind

SECONDS = 600.0
PEOPLE, MISTYPING, EXITS, PEOPLE_BEHIND = 480, 12, 20, 40
PAUSE_SECONDS = 10.0  # between two requests of a person, on average
PEOPLES_ADDRESSES: Final = parse_network("198.18.0.0/15")
BOTS = 30  # addresses of a botnet, four attempts each

# Attackers, and how many requests each may get through before it is refused.
BOUNDS: Final = {
    "brute force": 12,
    "scan": 25,
    "trap": 1,
    "flood": 61,
    "slow brute force": 12,
    "botnet": 40,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, and whose it is: the name of an attacker, or `people`."""

    event: Event
    sender: str

    def __lt__(self, other: "Sent") -> bool:
        return self.event.seconds < other.event.seconds


def traffic(seed: int) -> Iterator[Sent]:
    """Yield some 68,000 requests in the order of time."""
    dice = random.Random(seed)  # noqa: S311 -- no secrets
    streams = [_person(dice, _address(10, number), PAUSE_SECONDS) for number in range(PEOPLE)]
    streams += [
        _person(dice, _address(11, number), PAUSE_SECONDS * 1.25 / PEOPLE_BEHIND)
        for number in range(EXITS)
    ]
    streams += [_mistyping(dice, _address(10, number)) for number in range(MISTYPING)]
    streams += list(_attackers(dice))
    return heapq.merge(*streams)


def _address(block: int, number: int) -> Network:
    return parse_network(f"198.{block + 8}.{number >> 8}.{number & 255}")


def _every(
    dice: random.Random, account: Network, pause: float, kind: Kind, sender: str, most: int
) -> Iterator[Sent]:
    """Yield *most* requests with random pauses; each missing path is another one."""
    now = dice.uniform(0, SECONDS / 2)
    for number in range(most):
        yield Sent(Event(now, account, kind, number + 1), sender)
        now += pause * dice.uniform(0.8, 1.2)


def _person(dice: random.Random, account: Network, pause: float) -> Iterator[Sent]:
    now = dice.expovariate(1 / pause)
    old_bookmarks = [dice.randrange(1_000) for _ in range(6)]
    while now < SECONDS:
        if dice.random() < 0.03:
            yield Sent(Event(now, account, "missing", dice.choice(old_bookmarks)), "people")
        else:
            yield Sent(Event(now, account, "ok"), "people")
        now += dice.expovariate(1 / pause)


def _mistyping(dice: random.Random, account: Network) -> Iterator[Sent]:
    return _every(dice, account, 6, "login failed", "people", dice.randrange(2, 6))


def _attackers(dice: random.Random) -> Iterator[Iterator[Sent]]:
    one = iter(range(1, 200))
    lone = {
        "brute force": (0.2, "login failed", 400),
        "scan": (0.3, "missing", 400),
        "trap": (2.0, "trap", 20),
        "flood": (0.02, "ok", 3_000),
        "slow brute force": (8.0, "login failed", 35),
    }
    for name, (pause, kind, most) in lone.items():
        yield _every(dice, parse_network(f"203.0.{next(one)}.9"), pause, kind, name, most)  # type: ignore[arg-type]  # a literal, see `lone`
    start = dice.uniform(0, SECONDS / 2)
    yield heapq.merge(
        *(
            iter(
                [
                    Sent(
                        Event(
                            start + dice.uniform(0, 200),
                            parse_network(f"192.0.2.{bot}"),
                            "login failed",
                        ),
                        "botnet",
                    )
                    for _ in range(4)
                ]
            )
            for bot in range(BOTS)
        )
    )
