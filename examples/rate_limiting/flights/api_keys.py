"""API keys that prove themselves: a name and its signature, so that checking one reads no store."""

from django.core.signing import BadSignature, Signer


def signer() -> Signer:
    return Signer(salt="flights.api_keys")


def issue(name: str) -> str:
    """Return the key of a name: always the same one, until SECRET_KEY changes."""
    return signer().sign(name)


def owner(key: str) -> str | None:
    """Return whose key it is, None for one that was not issued here.

    A forged key is worth as much as no key: who rotates forged ones stays one client.
    """
    try:
        return signer().unsign(key)
    except BadSignature:
        return None
