"""Your own tokens. They begin as `tutorial`: PyJWT by hand, one key, a list of tokens that were logged out.

Win `forged-tokens-are-refused` first, in `user_of`; then `keys-turn-unnoticed`, with a key id in `issue`.
All of `sessions/` and PyJWT are at hand; endpoints of your own go into `urls`.
"""

import hashlib
import time

import jwt
from flights import configured, tutorial
from flights.models import Denied


def key() -> str:
    return configured.key_file().keys().signing.seed


def issue(user: int) -> str:
    return jwt.encode({"user_id": user, "exp": int(time.time()) + 300}, key(), "HS256")


def user_of(token: str) -> int | None:
    if Denied.objects.filter(digest=digest(token)).exists():
        return None
    try:
        return int(jwt.decode(token, key(), algorithms=["HS256"])["user_id"])
    except (jwt.PyJWTError, KeyError):
        return None


def log_out(token: str) -> None:
    Denied.objects.get_or_create(digest=digest(token))


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


urls = tutorial.endpoints(issue, user_of, log_out)
