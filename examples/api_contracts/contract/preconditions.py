"""A change says which version it has read, and the UPDATE itself asks for that version.

RFC 9110, 13.1.1 (If-Match) and RFC 6585, 3 (428 Precondition Required).
"""

import re
from typing import Any

from django.db.models import F, QuerySet

TAGS = re.compile(r'(?:[\s,]*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,|$))+[\s,]*')
STRONG = re.compile(r'(?<!W/)"([1-9][0-9]{0,17})"')  # `tag` writes no other: "01" is not "1"


class Missing(ValueError):
    """No version is named: the change would overwrite whatever is there."""


class Malformed(ValueError):
    """The header is no list of entity tags."""


class Stale(ValueError):
    """The row has another version by now."""


def tag(version: int) -> str:
    """Write a version as an entity tag."""
    return f'"{version}"'


def versions(if_match: str | None) -> frozenset[int]:
    """Return the versions that a client has read; a weak tag (`W/"1"`) is none, for it proves nothing.

    Raises:
        Missing: it names none, or any (`*`).
        Malformed: it cannot be read.
    """
    if if_match is None or if_match.strip() in ("", "*"):
        raise Missing("If-Match has to name the version that was read: the ETag of the last GET")
    if not TAGS.fullmatch(if_match):
        raise Malformed("If-Match is a list of entity tags in double quotes")
    return frozenset(int(found) for found in STRONG.findall(if_match))


def change(rows: QuerySet[Any], read: frozenset[int], **values: Any) -> None:
    """Change the one row of `rows` in one statement, if it still has a version of `read`.

    PostgreSQL decides it: of two at once the second waits for the first, asks again and finds no row.

    Raises:
        Stale: it has not.
    """
    if not rows.filter(version__in=read).update(version=F("version") + 1, **values):
        raise Stale("It has changed since it was read: read it again")
