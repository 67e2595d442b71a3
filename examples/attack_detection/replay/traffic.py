"""People, and attackers among them; a seed decides everything.

People: 480 with an address each, of whom 24 mistype their password up to five times; 20 exits of providers
with 40 people behind each, whose bookmarks are old; 4 exits of a carrier with 600 people behind each, who
all come at once at times, and mistype, and then sign in.
"""

import heapq
import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from detector.sightings import Kind, Sighting

SECONDS = 600.0
PEOPLE, MISTYPING, EXITS, CARRIERS = 480, 24, 20, 4
BEHIND_EXIT, BEHIND_CARRIER = 40, 600
PAUSE_SECONDS = 10.0  # between two requests of a person, on average
MISTYPE = 0.02  # of those behind a carrier, in ten minutes
BOTS = 30  # addresses of a botnet, four attempts each

# Attackers, and how many requests each may get through before it is found.
BOUNDS: Final = {
    "brute force": 12,
    "harmless between": 24,
    "scan": 25,
    "trap": 1,
    "flood": 500,
    "slow brute force": 12,
    "botnet": 40,
}


class Sent(NamedTuple):
    """A request, and whose it is: the name of an attacker, or `people`."""

    sighting: Sighting
    sender: str


def traffic(seed: int) -> Iterator[Sent]:
    """Yield some 80,000 requests in the order of time."""
    dice = random.Random(seed)  # noqa: S311 -- no secrets
    streams = [_person(dice, f"198.18.{n >> 8}.{n & 255}/32", PAUSE_SECONDS) for n in range(PEOPLE)]
    exits = [f"198.19.0.{n}/32" for n in range(EXITS)]
    streams += [_person(dice, each, PAUSE_SECONDS / BEHIND_EXIT) for each in exits]
    streams += [_mistyping(dice, f"198.18.0.{n}/32", f"person {n}") for n in range(MISTYPING)]
    for number in range(CARRIERS):
        streams += _carrier(dice, f"198.19.1.{number}/32")
    return heapq.merge(*streams, *_attackers(dice), key=lambda sent: sent.sighting.seconds)


def _person(dice: random.Random, client: str, pause: float) -> Iterator[Sent]:
    now = dice.expovariate(1 / pause)
    old_bookmarks = [str(dice.randrange(1_000)) for _ in range(6)]
    while now < SECONDS:
        if dice.random() < 0.03:
            yield Sent(Sighting(now, client, "missing", dice.choice(old_bookmarks)), "people")
        else:
            yield Sent(Sighting(now, client, "ok"), "people")
        now += dice.expovariate(1 / pause)


def _mistyping(dice: random.Random, client: str, account: str) -> Iterator[Sent]:
    """Yield two to five failures, and at last a success."""
    now = dice.uniform(0, SECONDS / 2)
    for _ in range(dice.randrange(2, 6)):
        yield Sent(Sighting(now, client, "login failed", account=account), "people")
        now += dice.uniform(4, 8)
    yield Sent(Sighting(now, client, "ok", account=account, peers="person"), "people")


def _carrier(dice: random.Random, client: str) -> Iterator[Iterator[Sent]]:
    """Yield what 600 people do behind one address: a third of them have signed in."""
    for number in range(BEHIND_CARRIER // 3):
        yield _signed_in(dice, client, f"{client} {number}")
    for number in range(int(BEHIND_CARRIER * MISTYPE)):
        yield _mistyping(dice, client, f"{client} mistyping {number}")
    for _ in range(3):
        start = dice.uniform(60, SECONDS)
        crowd = sorted(start + dice.uniform(0, 2) for _ in range(60))
        yield iter([Sent(Sighting(now, client, "ok"), "people") for now in crowd])


def _signed_in(dice: random.Random, client: str, account: str) -> Iterator[Sent]:
    """Yield what a person does who has signed in; a third of it is about previews that are not there."""
    now = dice.expovariate(1 / (PAUSE_SECONDS * 5))
    while now < SECONDS:
        kind: Kind = "missing" if dice.random() < 0.3 else "ok"
        path = str(dice.random())
        yield Sent(Sighting(now, client, kind, path, account, "person"), "people")
        now += dice.expovariate(1 / (PAUSE_SECONDS * 5))


def _attackers(dice: random.Random) -> Iterator[Iterator[Sent]]:
    lone: dict[str, tuple[float, Kind, int]] = {
        "brute force": (0.2, "login failed", 400),
        "scan": (0.3, "missing", 400),
        "trap": (2.0, "trap", 20),
        "flood": (0.02, "ok", 3_000),
        "slow brute force": (8.0, "login failed", 35),
    }
    for number, (name, (pause, kind, most)) in enumerate(lone.items()):
        yield _every(dice, f"203.0.{number}.9/32", pause, (kind,), name, most)
    yield _every(dice, "203.0.113.9/32", 0.1, ("ok", "login failed"), "harmless between", 800)
    start = dice.uniform(0, SECONDS / 2)
    for bot in range(BOTS):
        client, tries = f"192.0.2.{bot}/32", sorted(dice.uniform(0, 200) for _ in range(4))
        sent = [
            Sighting(start + now, client, "login failed", account=f"{client} {now}")
            for now in tries
        ]
        yield iter([Sent(each, "botnet") for each in sent])


def _every(
    dice: random.Random, client: str, pause: float, kinds: tuple[Kind, ...], sender: str, most: int
) -> Iterator[Sent]:
    """Yield *most* requests with random pauses; each path and account is another one."""
    now = dice.uniform(0, SECONDS / 2)
    for number in range(most):
        kind = kinds[number % len(kinds)]
        account = f"{sender} {number}" if kind == "login failed" else ""
        yield Sent(Sighting(now, client, kind, str(number), account), sender)
        now += pause * dice.uniform(0.8, 1.2)
