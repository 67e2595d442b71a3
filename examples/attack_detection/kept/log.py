"""Who did what, for a week: pseudonyms of the day, truncated networks, paths without their query."""

import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime

from detector.clients import neighbours
from detector.pseudonyms import pseudonym
from detector.sightings import Sighting, Verdict
from django.db import DataError, transaction

from .countries import country
from .models import DayKey, Finding, LogLine
from .stream import Seen

KEY_BYTES = 32
LONGEST_PATH = 200

logger = logging.getLogger(__name__)


def key_of(day: date) -> bytes:
    """Return the key of a day, which is made when it is first asked for."""
    made, _ = DayKey.objects.get_or_create(
        day=day, defaults={"key": secrets.token_bytes(KEY_BYTES)}
    )
    return bytes(made.key)


def keep(seen: Sequence[Seen]) -> None:
    """Keep what is worth a line: everything but what was simply served.

    What PostgreSQL refuses is told, and costs no other line.
    """
    keys: dict[date, bytes] = {}
    lines = []
    for entry, sighting in seen:
        if sighting.kind == "ok":
            continue
        at = datetime.fromtimestamp(sighting.seconds, UTC)
        key = keys.get(at.date()) or keys.setdefault(at.date(), key_of(at.date()))
        lines.append(_line(entry, sighting, at, key))
    try:
        _write(lines)
    except (DataError, ValueError):  # ValueError: text that is no UTF-8
        for line in lines:
            try:
                _write([line])
            except (DataError, ValueError) as error:
                logger.error("the sighting %s is not kept: %s", line.entry, error)


def found(variant: str, verdict: Verdict, seconds: float) -> None:
    """Keep a verdict."""
    at = datetime.fromtimestamp(seconds, UTC)
    client = pseudonym(verdict.network, key_of(at.date()))
    write_finding(variant, verdict, at, client, neighbours(verdict.network))


def write_finding(variant: str, verdict: Verdict, at: datetime, client: str, network: str) -> None:
    Finding.objects.create(
        variant=variant,
        at=at,
        client=client,
        network=network,
        scope=verdict.scope,
        reason=verdict.reason,
        parts=dict(verdict.parts),
    )


def _line(entry: str, sighting: Sighting, at: datetime, key: bytes) -> LogLine:
    return LogLine(
        entry=entry,
        at=at,
        client=pseudonym(sighting.client, key),
        network=neighbours(sighting.client),
        kind=sighting.kind,
        path=sighting.path.replace("\0", "%00")[:LONGEST_PATH],
        status=sighting.status,
        country=country(sighting.client),
    )


def _write(lines: Sequence[LogLine]) -> None:
    with transaction.atomic():
        LogLine.objects.bulk_create(lines, ignore_conflicts=True)
