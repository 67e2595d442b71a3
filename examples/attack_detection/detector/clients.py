"""Who a request comes from: the hop that no client can forge, and what is counted as one client.

Every proxy appends the address that called it. Read from the right, hops are true as long as trusted
proxies wrote them; the first that is no trusted proxy is the client.
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
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final, Self

LONGEST_HOP = 80  # characters: an address of IPv6 with brackets, zone and port
MOST_HOPS = 32  # that are read, from the right
KNOWN = 4_096  # clients whose neighbours are kept at hand
NAT64: Final = ip_network("64:ff9b::/96")  # RFC 6052: everybody's IPv4 behind a gateway

type Address = IPv4Address | IPv6Address


def parse_address(text: str) -> Address | None:
    """Read an address in any notation that a proxy writes; None if it is none.

    `192.0.2.1:443`, `[2001:db8::1]:443`, `fe80::1%eth0` and `::ffff:192.0.2.1` are the addresses in them.
    """
    if len(text) > LONGEST_HOP:
        return None
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def client_of(address: Address) -> str:
    """Return what is counted as one client: a /32, or the /64 that every host of IPv6 can spend.

    Behind NAT64 and Teredo strangers share a /64; each is the address of IPv4 in its own. It is counted, and
    never trusted: whoever announces these networks can claim any.
    """
    if isinstance(address, IPv6Address):
        if address in NAT64:
            address = IPv4Address(int(address) & 0xFFFFFFFF)
        elif address.teredo:
            _server, address = address.teredo
    return _network(address.packed, 4 if address.version == 4 else 8)


@lru_cache(maxsize=KNOWN)
def neighbours(client: str) -> str:
    """Return the network in which clients are likely to be one attacker's: a /24, or a /48 of IPv6.

    Raises:
        OSError: it is no network.
    """
    address = client.partition("/")[0]
    if ":" in address:
        return _network(inet_pton(AF_INET6, address), 6)
    return _network(inet_pton(AF_INET, address), 3)


def _network(packed: bytes, kept: int) -> str:
    """Return the network of the first *kept* bytes; `ipaddress` would take ten times as long."""
    family = AF_INET if len(packed) == 4 else AF_INET6
    return f"{inet_ntop(family, packed[:kept] + bytes(len(packed) - kept))}/{8 * kept}"


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks whose hops are believed."""

    networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read comma-separated CIDRs; raises ValueError for a malformed one."""
        return cls(
            tuple(ip_network(part) for part in filter(None, map(str.strip, text.split(","))))
        )

    def trust(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def client(self, peer: str, header: str) -> str:
        """Return the client of a request; empty if a trusted proxy names nobody, or it comes from inside.

        Args:
            peer: who opened the connection.
            header: X-Forwarded-For.
        """
        address = parse_address(peer)
        nearest_first = reversed(header.rsplit(",", MOST_HOPS)[-MOST_HOPS:])
        while address is not None and self.trust(address):
            address = parse_address(next(nearest_first, ""))
        return client_of(address) if address else ""
