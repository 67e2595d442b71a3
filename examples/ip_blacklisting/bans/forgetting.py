"""What is not needed any more is forgotten: in tables, on the stream, in files."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import LiteralString

from django.db import connection, transaction
from django.db.models import Max
from redis.exceptions import RedisError
from shield.snapshot import RunFiles

from bans import ledger, stream, wiring
from bans.models import Ban, Change, DayKey, Feed, Sighting

FORGET: LiteralString = Path(__file__).with_name("sql").joinpath("forget.sql").read_text()
SIGHTINGS = timedelta(days=7)
BANS = timedelta(days=90)  # after their end: who comes back is banned for longer


def forget(now: datetime) -> None:
    """Forget what is over for long enough at *now*.

    A key goes together with the last sightings of its day: from then on no address leads to them.
    """
    oldest = (now - SIGHTINGS).astimezone(UTC).date()
    lift_expired(now)  # and tell everybody, before the network is forgotten
    with transaction.atomic(), connection.cursor() as cursor:
        Sighting.objects.filter(at__lt=datetime.combine(oldest, time.min, UTC)).delete()
        DayKey.objects.filter(day__lt=oldest).delete()
        cursor.execute(FORGET, {"before": now - BANS})
    _trim(now - BANS)
    kept = set(Feed.objects.exclude(digest="").values_list("digest", flat=True))
    RunFiles(wiring.folder(), lambda _: None).sweep(kept)


def lift_expired(now: datetime) -> None:
    """Lift what has expired, so that the processes drop it from their memory."""
    with ledger.written_by(ledger.Actor("keeper")):
        Ban.objects.filter(lifted=None, expires__lt=now).update(lifted=now)


def _trim(before: datetime) -> None:
    """Take old changes off the stream; who is that far behind asks PostgreSQL."""
    last = Change.objects.filter(at__lt=before).aggregate(last=Max("seq"))["last"] or 0
    try:
        wiring.redis().xtrim(stream.key(ledger.epoch()), minid=f"{last + 1}-0", approximate=False)
    except RedisError:
        ledger.logger.warning("the stream is trimmed later: Redis does not answer")
