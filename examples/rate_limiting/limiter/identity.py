"""Who a request comes from: an API key, a user, or the address that no client can forge.

Every proxy appends the address it was called by to X-Forwarded-For. Read from the right, entries
are true as long as trusted proxies wrote them; the first that is not a trusted proxy is the client,
and everything left of it is what that client made up.
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Literal, Self

MOST_HOPS = 32  # entries that are read, from the right
LONGEST_ENTRY = 64  # characters: an IPv6 address with brackets, zone and port

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Identity:
    """A client, and how it was recognised."""

    kind: Literal["key", "user", "address"]
    value: str

    @property
    def client(self) -> str:
        """Return the name that limiters count by; kinds never collide."""
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks whose X-Forwarded-For entries are believed."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read comma-separated CIDRs; raises ValueError, in one sentence, for a malformed one."""
        networks = []
        for part in filter(None, map(str.strip, text.split(","))):
            try:
                networks.append(ip_network(part))
            except ValueError as error:
                raise ValueError(f"trusted proxy {part!r} is not a network: {error}") from None
        return cls(tuple(networks))

    def trust(self, address: Address) -> bool:
        """Tell whether the address belongs to a trusted proxy."""
        return any(address in network for network in self.networks)


def address_of(peer: str, forwarded_for: str, proxies: Proxies) -> str:
    """Return the client's address: IPv4, or the /64 that an IPv6 client owns.

    *peer* is who opened the connection, *forwarded_for* every line of the header, joined by commas.
    The right-most entry that is no trusted proxy is the client. An entry that is no address ends
    the search, as nothing left of it can be believed: then the peer is the client, whatever it is.
    If all entries are trusted proxies the call came from inside, from the left-most of them.
    A peer that is no address (a Unix socket) is "unknown", and believed by nobody.
    """
    nearest = client = _address(peer)
    if nearest is None:
        return "unknown"
    hops = forwarded_for.rsplit(",", MOST_HOPS)[-MOST_HOPS:] if forwarded_for.strip() else []
    while hops and client is not None and proxies.trust(client):
        client = _address(hops.pop())
    return _counted(client or nearest)


def _counted(address: Address) -> str:
    if isinstance(address, IPv6Address):  # every host has 2**64 addresses to spend (RFC 4291)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> Address | None:
    if text.startswith("["):  # [2001:db8::1]:443
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 192.0.2.1:443
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])  # fe80::1%eth0
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _address(text: str) -> Address | None:
    # Bounded before it is kept: a header is as long as its sender likes.
    text = text.strip()
    return _parsed(text) if len(text) <= LONGEST_ENTRY else None
