"""Refresh tokens that are used once: a family has one live generation (RFC 9700, section 4.14.2).

The token is `family.generation:signature`: the successor is computed and not stored, so that whoever lost
an answer gets the same one again, and no table holds a token.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.signing import BadSignature, Signer

from .access import Claims, Refused

BEGIN, ROTATE, STATE, REUSED, RENEW = (
    Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
    for name in ("begin", "rotate", "state", "reused", "renew")
)
REVOKE = "UPDATE sessions_family SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Issued:
    claims: Claims
    refresh: str


@dataclass(frozen=True, slots=True)
class Families:
    """The families of one table.

    Args:
        signer: of the tokens.
        retry_seconds: how long the parent of the live token still gets that one, for a lost answer.
        days: how old a family gets.
    """

    signer: Signer
    retry_seconds: float = 10
    days: int = 30

    def begin(self, connection: Any, user: int, password: str) -> Issued:
        """Return the first tokens of a user whose password was checked against this hash.

        Raises:
            Refused: it is not the user's any more. Else a login that began before would outlive the change.
        """
        session = str(uuid4())
        with connection.cursor() as cursor:
            cursor.execute(BEGIN, {"session": session, "user": user, "password": password})
            if not cursor.rowcount:
                raise Refused("the password is another one now")
        return self._issued(user, session, 1)

    def refresh(self, connection: Any, token: str) -> Issued:
        """Return the one successor of a token. Each statement has to be committed by itself.

        Raises:
            Refused: it is forged, over, revoked, or was used before: then its family is revoked now.
        """
        session, generation = self._read(token)
        asked = {
            "session": session,
            "generation": generation,
            "retry": self.retry_seconds,
            "days": self.days,
        }
        with connection.cursor() as cursor:
            cursor.execute(ROTATE, asked)
            if (row := cursor.fetchone()) is None:
                row = self._again(cursor, asked)
        return self._issued(row[0], session, generation + 1)

    def _again(self, cursor: Any, asked: dict[str, Any]) -> Any:
        cursor.execute(STATE, asked)
        row = cursor.fetchone()
        if row is None:
            raise Refused("the family is over")
        if row[1]:  # the parent of the live token, a moment ago: the answer was lost
            return row
        cursor.execute(REUSED, asked)
        if cursor.rowcount:
            told = "family %s of user %s revoked: a token was reused"
            logger.warning(told, asked["session"], row[0])
        raise Refused("it was used before")

    def revoke(self, connection: Any, session: str) -> int:
        """End a family; return how many were alive: one, or none."""
        with connection.cursor() as cursor:
            cursor.execute(REVOKE, [session])
            return int(cursor.rowcount)

    def renew(self, connection: Any, user: int, checked: str, renewed: str) -> bool:
        """Store the hash of the same password anew, which ends no family; False: it is another one now."""
        with connection.cursor() as cursor:
            cursor.execute(RENEW, {"user": user, "checked": checked, "renewed": renewed})
            return bool(cursor.rowcount)

    def _issued(self, user: int, session: str, generation: int) -> Issued:
        return Issued(Claims(user, session), self.signer.sign(f"{session}.{generation}"))

    def _read(self, token: str) -> tuple[str, int]:
        try:
            session, _, generation = self.signer.unsign(token).partition(".")
            return str(UUID(session)), int(generation)
        except (BadSignature, ValueError):
            raise Refused("it is no refresh token of this service") from None
