"""Who asks, known to the database until the end of the transaction (PostgreSQL: row security policies)."""

from pathlib import Path
from typing import Any

from .access import Claims, Refused

IDENTITY = Path(__file__).with_name("identity.sql").read_text(encoding="utf-8")
DENIED = "42501"  # SQLSTATE insufficient_privilege: a policy refuses what would be written


def enter(connection: Any, claims: Claims) -> None:
    """Let the rest of this transaction see what the caller may see.

    Raises:
        Refused: the session is revoked, or the user inactive.
    """
    if not connection.in_atomic_block:  # the setting would be over with this statement
        raise RuntimeError("there is no transaction to be somebody in")
    with connection.cursor() as cursor:
        cursor.execute(IDENTITY, {"session": claims.session, "user": claims.user})
        if cursor.fetchone() is None:
            raise Refused("the session is over")


def is_denied(error: Exception) -> bool:
    """Whether a policy refused to write a row."""
    return getattr(error.__cause__, "sqlstate", None) == DENIED
