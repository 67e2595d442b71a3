"""Who tries passwords so slowly that points fade in between: found among the sightings of the day.

The sightings know no addresses. So a scan finds pseudonyms, and who comes next under one of them is banned.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import LiteralString

from django.db import connection
from shield.addresses import Network
from shield.matcher import Scope
from shield.scores import Verdict

SLOW: LiteralString = Path(__file__).with_name("sql").joinpath("slow.sql").read_text()
# A try every ten minutes is 144 a day; forty people behind one address mistype less.
FAILURES = 100

type Parts = dict[str, float]


def scan(now: datetime) -> Mapping[str, Parts]:
    """Return pseudonym -> what speaks against who bears it today: failures, and in how many hours."""
    since = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(SLOW, {"since": since, "failures": FAILURES})
        return {
            client: {"failures": float(failures), "hours": float(hours)}
            for client, failures, hours in cursor.fetchall()
        }


def verdict(account: Network, parts: Parts) -> Verdict:
    return Verdict(account, "failed logins all day", parts, Scope.LOGIN)
