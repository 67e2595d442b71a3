"""What is not needed any more is forgotten; a key goes with the last lines of its day."""

from datetime import UTC, datetime, time, timedelta

from django.db import transaction

from .models import DayKey, Finding, LogLine

LINES = timedelta(days=7)
FINDINGS = timedelta(days=90)


def forget(now: datetime) -> None:
    """Forget what is over for long enough at *now*: from then on no address leads to it."""
    oldest = (now - LINES).astimezone(UTC).date()
    with transaction.atomic():
        LogLine.objects.filter(at__lt=datetime.combine(oldest, time.min, UTC)).delete()
        DayKey.objects.filter(day__lt=oldest).delete()
        Finding.objects.filter(at__lt=now - FINDINGS).delete()
