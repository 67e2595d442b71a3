"""The one detector: points for each client, failed logins of neighbours, rates among peers."""

from .groups import Groups
from .points import Points
from .rates import Rates
from .sightings import Sighting, Verdict


class Detector:
    """Learns from sightings in the order of their time; for one thread."""

    def __init__(self) -> None:
        self.points, self.groups = Points(), Groups()
        self.rates = Rates(self.points.people)

    def observe(self, seen: Sighting) -> list[Verdict]:
        """Learn from one request; return who is found by it."""
        verdicts = self.rates.observe(seen)
        if seen.kind == "ok" and seen.account and self.points.signed_in(seen):
            self.groups.signed_in(seen)
        if verdict := self.points.observe(seen):
            verdicts.append(verdict)
        if seen.kind == "login failed" and (verdict := self.groups.failed(seen)):
            verdicts.append(verdict)
        return verdicts
