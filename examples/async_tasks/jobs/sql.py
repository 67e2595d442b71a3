"""The statements of this package: each in a file of its own, with its parameters in the first line."""

from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction


@cache
def text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.sql").read_text("utf-8")


def rows(name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Execute `<name>.sql` and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(text(name), parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def by_index(name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Do the same, and neither read a table from its beginning to its end nor sort what is due.

    PostgreSQL does both by the statistics of another time: of a table that was short, or had other rows.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        found = rows(name, **parameters)
        cursor.execute("SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on")
        return found


def storable(said: str, most: int = 20_000) -> str:
    """Return *said*, whose bytes are anybody's, as PostgreSQL can keep it: no NUL, no half of a character."""
    text = said[:most].encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("\x00", "\\x00")
