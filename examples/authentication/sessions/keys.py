"""Signing keys in four states, (RFC 7517, RFC 8037).

A key is published before it signs, so that whoever caches the list knows it, and goes on verifying after it,
until the last token that it signed is over. Any two steps at once refuse somebody.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

STATES = ("published", "signing", "leaving", "retired")


@dataclass(frozen=True)
class Key:
    """One key; `since` is the Unix second at which it got its state, `seed` the private half in base64url."""

    kid: str
    state: str
    since: float
    seed: str

    @cached_property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(self.seed + "="))


def new(state: str, now: float) -> Key:
    seed = urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    return Key(secrets.token_hex(4), state, now, seed)


class Keys:
    """All keys of a file.

    Raises:
        ValueError: not exactly one of them signs, or a key id comes twice.
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        signing = [key for key in keys if key.state == "signing"]
        if len(signing) != 1:
            raise ValueError(f"{len(signing)} keys are signing, and one has to")
        if len({key.kid for key in keys}) < len(keys):
            raise ValueError("a key id comes twice")
        self.all, self.signing = tuple(keys), signing[0]
        # One that is only published verifies, too: another process may have seen it sign before this one.
        self.verifying = {key.kid: key for key in keys if key.state != "retired"}

    def publish(self, now: float) -> "Keys":
        if any(key.state == "published" for key in self.all):
            raise ValueError("a key is published already: let it sign first")
        return Keys([*self.all, new("published", now)])

    def sign(self, now: float, wait_seconds: float) -> "Keys":
        """Let the published key sign; the one before it only verifies from now on."""
        self._due("published", now, wait_seconds)
        return self._move({"published": "signing", "signing": "leaving"}, now)

    def retire(self, now: float, wait_seconds: float) -> "Keys":
        self._due("leaving", now, wait_seconds)
        return self._move({"leaving": "retired"}, now)

    def _due(self, state: str, now: float, wait_seconds: float) -> None:
        found = [key for key in self.all if key.state == state]
        if not found:
            raise ValueError(f"no key is {state}")
        if (left := max(key.since for key in found) + wait_seconds - now) > 0:
            raise ValueError(f"the key is {state} too short a time: wait another {left:.0f} s")

    def _move(self, states: dict[str, str], now: float) -> "Keys":
        return Keys(
            [
                replace(key, state=states[key.state], since=now) if key.state in states else key
                for key in self.all
            ]
        )
