"""Points for what people seldom do, which fade: failed logins, missing paths, traps.

Points fade exponentially, so one number and one time say all about the past (Brown, Exponential
Smoothing, 1956). Only what an attacker cannot buy with harmless requests takes points away, or makes them
weigh less: accounts that sign in.
"""

from dataclasses import dataclass, field

from .remembered import Remembered
from .sightings import Scope, Sighting, Verdict

HALF_LIFE_SECONDS = 600.0
VERDICT_AT = 100.0
FAILED_LOGIN, MISSING_PATH, TRAP = 10.0, 5.0, 100.0
PERSON = 10.0  # who has signed in here raises what it takes: forty people mistype more than one
MOST_CLIENTS = 10_000
MOST_NAMES = 64  # accounts and paths of one client
FORGET_AFTER_SECONDS = 3600.0


@dataclass(slots=True)
class Fading:
    """A number that halves every half-life."""

    value: float = 0
    seconds: float = 0

    def add(self, amount: float, now: float) -> float:
        passed = max(0.0, now - self.seconds)
        self.value = self.value * 0.5 ** (passed / HALF_LIFE_SECONDS) + amount
        self.seconds = now
        return self.value


@dataclass(slots=True)
class Client:
    """What is remembered of one client.

    Attributes:
        failing: account -> points, until it signs in.
        people: accounts that have signed in.
    """

    failing: dict[str, Fading] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    paths: set[int] = field(default_factory=set)
    scan: Fading = field(default_factory=Fading)

    def logins(self, now: float) -> float:
        return sum(each.add(0, now) for each in self.failing.values())


class Points:
    """Judges each client by itself."""

    def __init__(self) -> None:
        self.clients = Remembered(Client, MOST_CLIENTS, FORGET_AFTER_SECONDS)

    def observe(self, seen: Sighting) -> Verdict | None:
        """Learn from one request; return whom to refuse for it, if anybody."""
        # What is served costs nothing to ask for, so it is not remembered. Who has signed in may look for
        # what is not there: an app that syncs asks for a hundred previews.
        if seen.kind == "ok" or (seen.kind == "missing" and seen.account):
            return None
        client, now = self.clients.of(seen.client, seen.seconds), seen.seconds
        if seen.kind == "login failed":
            name = seen.account
            if name not in client.failing and len(client.failing) >= MOST_NAMES:
                name = ""
            client.failing.setdefault(name, Fading()).add(FAILED_LOGIN, now)
        elif seen.kind == "trap":
            client.scan.add(TRAP, now)
        elif (path := hash(seen.path)) not in client.paths:
            # Each path once: people repeat theirs, scanners do not.
            if len(client.paths) < MOST_NAMES:
                client.paths.add(path)
            client.scan.add(MISSING_PATH, now)
        return self._judged(seen, client)

    def signed_in(self, seen: Sighting) -> bool:
        """Forgive an account its failures here; tell whether that is news."""
        client = self.clients.of(seen.client, seen.seconds)
        failed = client.failing.pop(seen.account, None) is not None
        new = seen.account not in client.people and len(client.people) < MOST_NAMES
        if new:
            client.people.add(seen.account)
        return failed or new

    def people(self, client: str) -> int:
        """Return how many accounts have signed in from a client."""
        found = self.clients.find(client)
        return len(found.people) if found else 0

    def _judged(self, seen: Sighting, client: Client) -> Verdict | None:
        logins, scan = client.logins(seen.seconds), client.scan.add(0, seen.seconds)
        if logins + scan < VERDICT_AT + PERSON * len(client.people):
            return None
        scope: Scope = "logins" if logins > scan else "all"
        parts = {
            "logins": round(logins, 1),
            "scan": round(scan, 1),
            "people": float(len(client.people)),
        }
        client.failing, client.scan = {}, Fading()  # it begins anew
        return Verdict(seen.client, scope, "failed logins and scans", parts)
