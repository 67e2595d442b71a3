"""Who sends a request: the owner of an API key, else the user, else the client's address."""

import hashlib
from functools import lru_cache
from ipaddress import ip_network

from abuse.detector import Caller
from django.http import HttpRequest
from limiter.identity import Identity, Proxies, address_of

from . import api_keys, configured


def identify(request: HttpRequest) -> Identity:
    """Return who is charged for a request."""
    key = request.META.get("HTTP_X_API_KEY")  # request.headers would parse all of them
    if key and (owner := api_keys.owner(key)):
        return Identity("key", owner)
    user = getattr(request, "user", None)  # only with an authentication middleware
    if user is not None and user.is_authenticated:
        return Identity("user", str(user.pk))
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return Identity("address", address_of(peer, forwarded_for, configured.trusted_proxies()))


def named(kind: str, value: str) -> Identity:
    """Return the same identity for a client that an operator names."""
    match kind:
        case "address":
            return Identity("address", address_of(value, "", Proxies()))
        case "key" | "user":
            return Identity(kind, value)
    raise ValueError(f"a client is a key, a user or an address, not {kind!r}")


@lru_cache(maxsize=4_096)
def caller(identity: Identity) -> Caller:
    """Return what detectors and operators may know of a client."""
    name = identity.client.encode(errors="backslashreplace")
    pseudonym = hashlib.blake2b(name, key=configured.secret(), digest_size=9).hexdigest()
    network = truncated(identity.value) if identity.kind == "address" else ""
    return Caller(identity.kind, pseudonym, network)


def truncated(address: str) -> str:
    """Return the /24 of an IPv4 address, the /64 of an IPv6 one: enough to see a provider."""
    bare = address.partition("/")[0]
    try:
        return str(ip_network(f"{bare}/{64 if ':' in bare else 24}", strict=False))
    except ValueError:
        return ""
