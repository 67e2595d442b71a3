"""Failed logins of neighbours: a botnet in a /24 of which no address fails often."""

from dataclasses import dataclass, field

from .clients import neighbours
from .remembered import Remembered
from .sightings import Sighting, Verdict

WITHIN_SECONDS = 600.0
FAILURES = 40  # of accounts that did not sign in
CLIENTS = 5  # fewer share one provider's exit
OF_A_PAIR = 3  # that count of one account at one client: a person may try more often
MOST_GROUPS = 1_000
MOST_PEOPLE = 64  # of a group: each raises what it takes by one failure


@dataclass(slots=True)
class Tries:
    """Of one account at one client."""

    failures: int = 0
    seconds: float = 0


@dataclass(slots=True)
class Group:
    """What is remembered of a network: (client, account) -> failures, oldest first, and who signed in."""

    tries: dict[tuple[str, str], Tries] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)


class Groups:
    """Judges networks by the accounts that fail from them."""

    def __init__(self) -> None:
        self._groups = Remembered(Group, MOST_GROUPS, WITHIN_SECONDS)

    def failed(self, seen: Sighting) -> Verdict | None:
        """Learn from a failed login; return the network whose logins to refuse."""
        network = neighbours(seen.client)
        group = self._groups.of(network, seen.seconds)
        pair = seen.client, seen.account
        this = group.tries.pop(pair, None) or Tries()
        this.failures, this.seconds = min(this.failures + 1, OF_A_PAIR), seen.seconds
        group.tries[pair] = this
        while next(iter(group.tries.values())).seconds < seen.seconds - WITHIN_SECONDS:
            del group.tries[next(iter(group.tries))]
        failures = sum(each.failures for each in group.tries.values())
        clients = len({client for client, _ in group.tries})
        if failures < FAILURES + len(group.people):
            return None
        if clients < CLIENTS:
            del group.tries[next(iter(group.tries))]  # the oldest, for the memory is bounded
            return None
        group.tries.clear()
        parts = {"failures": failures, "clients": clients, "people": len(group.people)}
        return Verdict(network, "logins", "failed logins of neighbours", parts)

    def signed_in(self, seen: Sighting) -> None:
        """Forgive an account its failures at a client."""
        group = self._groups.of(neighbours(seen.client), seen.seconds)
        group.tries.pop((seen.client, seen.account), None)
        if len(group.people) < MOST_PEOPLE:
            group.people.add(seen.account)
