"""Keys, tokens, families and the gate as this project's settings describe them."""

from functools import cache

from django.conf import settings
from django.core.signing import Signer
from sessions.access import Access
from sessions.family import Families
from sessions.gate import Gate
from sessions.key_file import KeyFile


@cache
def key_file() -> KeyFile:
    return KeyFile(settings.STATE_FOLDER / "keys.json")


@cache
def access() -> Access:
    return Access(key_file().keys, settings.ISSUER, settings.AUDIENCE)


@cache
def families(retry_seconds: float = 10) -> Families:
    return Families(Signer(salt="sessions.family"), retry_seconds)


@cache
def gate() -> Gate:
    settings.OWN_FOLDER.mkdir(mode=0o700, exist_ok=True)
    return Gate(settings.OWN_FOLDER, int(settings.HASHES_AT_ONCE))
