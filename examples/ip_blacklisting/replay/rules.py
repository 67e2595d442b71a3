"""What a rule makes of the traffic: how much each attacker got through, and which people it banned."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from shield.addresses import Address, Network
from shield.matcher import Matcher, Scope
from shield.scores import Detector, Event, Verdict
from shield.table import NEVER, Entry

from replay.traffic import BOUNDS, traffic

type Rule = Callable[[Event], Verdict | None]


@dataclass
class Outcome:
    """Of one seed.

    Attributes:
        through: attacker -> requests until it was refused for good, or all of them.
        stopped: attackers that were refused in the end, and why.
        refused: sender -> requests that were.
        people: networks of people that were refused.
        events: requests in all.
    """

    through: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BOUNDS, 0))
    stopped: dict[str, Verdict] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    people: set[str] = field(default_factory=set)
    events: int = 0


def run(seed: int, rule: Rule) -> Outcome:
    """Replay the traffic of a seed; whoever is banned sends on, and is refused."""
    outcome, matcher = Outcome(), Matcher()
    for sent in traffic(seed):
        outcome.events += 1
        account = sent.event.account
        found = matcher.find(Address(account.version, account.value), 0)
        if found and (found.entry.scope == Scope.FULL or sent.event.kind == "login failed"):
            outcome.refused[sent.sender] += 1
            if sent.sender == "people":
                outcome.people.add(str(account))
            continue
        if sent.sender in outcome.through:
            outcome.through[sent.sender] += 1
        if verdict := rule(sent.event):
            matcher.bans.add(verdict.network, Entry(1, NEVER, verdict.scope, False))
            if sent.sender == "people":
                outcome.people.add(str(account))
            else:
                outcome.stopped[sent.sender] = verdict
    return outcome


def scores() -> Rule:
    """Return the rule of the solution."""
    return Detector().observe


def per_minute(limit: int = 60) -> Rule:
    """Return the rule that is written first: so many requests in a minute of the clock."""
    counts: dict[tuple[Network, int], int] = {}

    def rule(event: Event) -> Verdict | None:
        window = event.account, int(event.seconds // 60)
        counts[window] = counts.get(window, 0) + 1
        if counts[window] <= limit:
            return None
        return Verdict(event.account, "too many requests", {"requests": counts[window]})

    return rule


RULES: dict[str, Callable[[], Rule]] = {"shield": scores, "ipware_ratelimit": per_minute}
