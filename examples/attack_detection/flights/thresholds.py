"""The detector of most tutorials: so many requests, so many wrong passwords, one trap; and its log."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from detector.sightings import Sighting, Verdict
from kept.models import Finding, Visit
from kept.stream import Seen

REQUESTS, FAILURES, WINDOW_SECONDS = 30, 5, 10


class Thresholds:
    """Counts by client and window of the clock, for good."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, int]] = Counter()

    def observe(self, seen: Sighting) -> list[Verdict]:
        window = int(seen.seconds // WINDOW_SECONDS)
        requests = self._count(seen.client, "requests", window)
        failures = self._count(seen.client, "failures", window, seen.kind == "login failed")
        if seen.kind != "trap" and requests <= REQUESTS and failures <= FAILURES:
            return []
        return [Verdict(seen.client, "all", "too many", {"requests": requests})]

    def _count(self, client: str, what: str, window: int, more: int = 1) -> int:
        self.counts[client, what, window] += more
        return self.counts[client, what, window]


def keep(seen: Sequence[Seen]) -> None:
    """Write an "anonymised" line for each request that was not simply served."""
    Visit.objects.bulk_create(
        Visit(
            at=datetime.fromtimestamp(each.seconds, UTC), client=digest(each.client), path=each.path
        )
        for _, each in seen
        if each.kind != "ok"
    )


def found(variant: str, verdict: Verdict, seconds: float) -> None:
    Finding.objects.create(
        variant=variant,
        at=datetime.fromtimestamp(seconds, UTC),
        client=digest(verdict.network),
        network=verdict.network,
        scope=verdict.scope,
        reason=verdict.reason,
        parts=dict(verdict.parts),
    )


def digest(client: str) -> str:
    return hashlib.sha256(client.partition("/")[0].encode()).hexdigest()
