"""What a rule makes of the traffic: how much each attacker got through, and which people it found."""

from dataclasses import dataclass, field

from detector.clients import neighbours
from detector.sightings import REFUSED_SECONDS, Rule, Sighting, Verdict

from .traffic import BOUNDS, traffic


@dataclass
class Outcome:
    """Of one seed.

    Attributes:
        through: attacker -> requests until it was found, or all of them.
        found: attacker -> the first verdict.
        people: networks of people that were found.
    """

    through: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BOUNDS, 0))
    found: dict[str, Verdict] = field(default_factory=dict)
    people: dict[str, Verdict] = field(default_factory=dict)


def run(seed: int, rule: Rule) -> Outcome:
    """Replay the traffic of a seed; whoever is refused sends on."""
    outcome = Outcome()
    until: dict[str, tuple[float, str]] = {}  # network -> end of its refusal, and from what
    owners: dict[str, str] = {}  # client or group -> whose it is
    for sighting, sender in traffic(seed):
        owners[sighting.client] = owners[neighbours(sighting.client)] = sender
        if _refused(until, sighting):
            continue
        if sender in outcome.through and sender not in outcome.found:
            outcome.through[sender] += 1
        for verdict in rule.observe(sighting):
            until[verdict.network] = sighting.seconds + REFUSED_SECONDS, verdict.scope
            owner = owners[verdict.network]
            if owner == "people":
                outcome.people.setdefault(verdict.network, verdict)
            else:
                outcome.found.setdefault(owner, verdict)
    return outcome


def _refused(until: dict[str, tuple[float, str]], sighting: Sighting) -> bool:
    for network in (sighting.client, neighbours(sighting.client)):
        end, scope = until.get(network, (0.0, "named"))
        wanted = scope == "all" or (scope == "logins" and sighting.kind == "login failed")
        if wanted and sighting.seconds < end:
            return True
    return False
