"""What will go is said with every answer that still has it: since when, until when, and where to read on.

RFC 9745 (Deprecation) and RFC 8594 (Sunset). The dates stand in the contract beside `deprecated: true`.
"""

from calendar import timegm
from collections.abc import Mapping
from datetime import date
from email.utils import formatdate
from typing import Any

SINCE, SUNSET = "x-deprecated-since", "x-sunset"


def headers(deprecated: Mapping[str, Mapping[str, Any]], page: str) -> dict[str, str]:
    """Return the headers for answers that have these fields: the first day of each kind counts.

    Args:
        deprecated: name -> its schema.
        page: where a person reads what comes instead.

    Raises:
        KeyError: a field is deprecated without its dates.
    """
    if not deprecated:
        return {}
    since = min(_seconds(said[SINCE]) for said in deprecated.values())
    sunset = min(_seconds(said[SUNSET]) for said in deprecated.values())
    return {
        "Deprecation": f"@{since}",
        "Sunset": formatdate(sunset, usegmt=True),
        "Link": f'<{page}>; rel="deprecation"; type="text/html"',
    }


def _seconds(day: str) -> int:
    return timegm(date.fromisoformat(day).timetuple())
