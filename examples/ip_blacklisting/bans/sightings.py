"""Who did what, for a week: pseudonyms of the day, truncated networks, paths without their query."""

import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime

from shield.addresses import Network
from shield.pseudonyms import pseudonym, truncated

from bans.models import DayKey, Sighting
from bans.watch import Seen

KEY_BYTES = 32


def key_of(day: date) -> bytes:
    """Return the key of a day, which is made when it is first asked for."""
    made, _ = DayKey.objects.get_or_create(
        day=day, defaults={"key": secrets.token_bytes(KEY_BYTES)}
    )
    return bytes(made.key)


def note(seen: Sequence[Seen]) -> dict[str, Network]:
    """Keep what is worth a line: everything but what was simply served.

    Return pseudonym -> account of those who failed to log in; for now, for nobody keeps that.
    """
    keys: dict[date, bytes] = {}
    rows = []
    failed = {}
    for each in seen:
        if each.kind == "ok":
            continue
        at = datetime.fromtimestamp(each.seconds, UTC)
        day = at.date()
        key = keys.setdefault(day, keys.get(day) or key_of(day))
        client = pseudonym(each.account, key)
        if each.kind == "login failed":
            failed[client] = each.account
        rows.append(
            Sighting(
                at=at,
                client=client,
                network=truncated(each.account),
                path=each.path[:200],
                status=each.status,
            )
        )
    Sighting.objects.bulk_create(rows)
    return failed
