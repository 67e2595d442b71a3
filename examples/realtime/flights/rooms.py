"""What is asked of the database, in SQL: a change, a state, and the end of a session."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from boards.messages import Message, Position
from django.db import connection

SQL = Path(__file__).parent / "sql"
CHANGE, STATE, REVOKE = (
    (SQL / f"{name}.sql").read_text(encoding="utf-8") for name in ("change", "state", "revoke")
)


class Change(NamedTuple):
    """What a desk has changed, as listeners are told it."""

    room: str
    seq: int
    body: str


def change(room: str, asked: Mapping[str, str], *, outbox: bool) -> Change | None:
    """Change a flight; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGE, {**asked, "room": room, "outbox": outbox})
        row = cursor.fetchone()
    return Change(room, *row[:2]) if row else None


def state(room: str) -> Message | None:
    with connection.cursor() as cursor:
        cursor.execute(STATE, [room])
        return message(cursor.fetchone())


def message(row: Any) -> Message | None:
    return Message(Position(row[0], row[1]), row[2]) if row else None


def revoke(session: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(REVOKE, [session])
        return cursor.fetchone() is not None
