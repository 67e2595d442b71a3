"""Access tokens: signed, short-lived, and read in one way (RFC 9068, RFC 8725)."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import jwt

from .keys import Keys

ALGORITHM, KIND = "EdDSA", "at+jwt"
REQUIRED = ("iss", "aud", "sub", "sid", "iat", "exp", "jti")
CLOCKS_APART_SECONDS = 5  # between the machine that signs and the one that reads


class Refused(Exception):
    """The token opens nothing; the text is for the log, and never for who sent it."""


@dataclass(frozen=True, slots=True)
class Claims:
    user: int
    session: str


@dataclass(frozen=True, slots=True)
class Access:
    """Signs and reads the access tokens of one issuer for one audience.

    Args:
        keys: asked each time, for they may change.
    """

    keys: Callable[[], Keys]
    issuer: str
    audience: str
    seconds: int = 300
    clock: Callable[[], float] = time.time

    def sign(self, claims: Claims) -> str:
        now, key = int(self.clock()), self.keys().signing
        said = {
            "iss": self.issuer,
            "aud": self.audience,
            "client_id": self.audience,
            "sub": str(claims.user),
            "sid": claims.session,
            "iat": now,
            "exp": now + self.seconds,
            "jti": uuid4().hex,
        }
        return jwt.encode(said, key.private, ALGORITHM, {"typ": KIND, "kid": key.kid})

    def read(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            Refused: it is not one that `sign` made, with a key that is not retired, and still good.
        """
        keys = self.keys().verifying  # that there are none is no fault of the token
        try:
            header = jwt.get_unverified_header(token)
            # The kid is input: it chooses among the keys that are there, and nothing is fetched for it.
            key = keys[header["kid"]]
            said = jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                leeway=CLOCKS_APART_SECONDS,
                options={"require": list(REQUIRED), "strict_aud": True},
            )
            return _claims(token, header, said)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from None


def _claims(token: str, header: dict[str, Any], said: dict[str, Any]) -> Claims:
    """Check what PyJWT leaves out: the kind of token, claims of another type, other spellings."""
    if header.get("typ") != KIND:
        raise ValueError("it is another kind of token")
    if not all(type(said[name]) is int for name in ("iat", "exp")):
        raise ValueError("a time is no whole number")
    if any(_spelled(part) != part for part in token.split(".")):
        raise ValueError("it is not spelled as it was made")
    return Claims(int(said["sub"]), str(UUID(str(said["sid"]))))


def _spelled(part: str) -> str:
    """Spell base64url as RFC 7515 does; decoders take padding and unused bits as well."""
    return urlsafe_b64encode(urlsafe_b64decode(part + "=" * (-len(part) % 4))).decode().rstrip("=")
