"""The detector of most tutorials: so many requests, so many wrong passwords, one trap; and its log."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from detector.sightings import Sighting, Verdict
from kept import log
from kept.countries import country
from kept.models import Visit
from kept.stream import Seen

from . import configured

REQUESTS, FAILURES, WINDOW_SECONDS = 30, 5, 10
CACHED_SECONDS = 86_400


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
            at=datetime.fromtimestamp(each.seconds, UTC),
            client=digest(each.client),
            path=each.path,
            country=cached_country(each.client),
        )
        for _, each in seen
        if each.kind != "ok"
    )


def found(variant: str, verdict: Verdict, seconds: float) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    log.write_finding(variant, verdict, at, digest(verdict.network), verdict.network)


def cached_country(client: str) -> str:
    """Ask a cache before the file; what the file does not know is asked for each time."""
    cache, key = configured.redis(), f"country:{client}"
    found = cast("bytes | None", cache.get(key))
    if found:
        return found.decode()
    code = country(client)
    if code:
        cache.set(key, code, ex=CACHED_SECONDS)
    return code


def digest(client: str) -> str:
    return hashlib.sha256(client.partition("/")[0].encode()).hexdigest()
