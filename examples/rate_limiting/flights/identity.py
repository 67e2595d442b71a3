"""The address that a request comes from, and that no client can forge.

Every proxy appends the address it was called by to X-Forwarded-For. Read from the right, entries
are true as long as trusted proxies wrote them; the first that is not a trusted proxy is the client,
and everything left of it is what that client made up.
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

MOST_HOPS = 32  # entries that are read, from the right
LONGEST_ENTRY = 64  # characters: an IPv6 address with brackets, zone and port
SOCKET = "unix"  # as a trusted proxy: whoever connects through a Unix socket, and has no address

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

# Where an IPv4 address stands in an IPv6 one, and by how many bits from the right: of a translator
# (RFC 6052), mapped and compatible (RFC 4291), 6to4 (RFC 3056).
EMBEDDED = (
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks whose X-Forwarded-For entries are believed."""

    networks: tuple[Network, ...] = ()
    socket: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read comma-separated CIDRs and `unix`; raises ValueError, in one sentence, for another."""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return cls(tuple(_network(part) for part in parts if part != SOCKET), SOCKET in parts)

    def trust(self, address: Address) -> bool:
        """Tell whether the address belongs to a trusted proxy."""
        return any(address in network for network in self.networks)


def address_of(peer: str, forwarded_for: str, proxies: Proxies, ipv6_prefix: int = 64) -> str:
    """Return the client's address: IPv4, or the network of so many bits that an IPv6 client owns.

    *peer* is who opened the connection, *forwarded_for* every line of the header, joined by commas.
    The right-most entry that is no trusted proxy is the client. An entry that is no address ends
    the search, as nothing left of it can be believed: then the peer is the client, whatever it is.
    If all entries are trusted proxies the call came from inside, from the left-most of them.
    Raises ValueError if nobody has an address: all clients would be one.
    """
    nearest = client = _address(peer)
    hops = forwarded_for.rsplit(",", MOST_HOPS)[-MOST_HOPS:] if forwarded_for.strip() else []
    if nearest is None and proxies.socket and hops:
        nearest = client = _address(hops.pop())
    if nearest is None:
        raise ValueError(
            f"the peer {peer!r} has no address: behind a Unix socket, TRUSTED_PROXIES needs 'unix'"
            " and the proxy has to add X-Forwarded-For"
        )
    while hops and client is not None and proxies.trust(client):
        client = _address(hops.pop())
    counted = client or nearest
    if isinstance(counted, IPv6Address):  # every host has 2**64 addresses to spend (RFC 4291)
        return str(IPv6Network((int(counted), ipv6_prefix), strict=False))
    return str(counted)


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f"trusted proxy {text!r} is not a network: {error}") from None
    if isinstance(network, IPv6Network) and network.subnet_of(EMBEDDED[1][0]):  # mapped
        embedded = int(network.network_address) & 0xFFFF_FFFF
        network = IPv4Network((embedded, network.prefixlen - 96))
    if not network.prefixlen:
        raise ValueError(f"trusted proxy {text!r} is everybody, and each may name any client")
    return network


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
    for network, shift in EMBEDDED:
        if address in network and int(address) > 1:  # neither :: nor ::1
            return IPv4Address(int(address) >> shift & 0xFFFF_FFFF)
    return address


def _address(text: str) -> Address | None:
    # Bounded before it is kept: a header is as long as its sender likes.
    text = text.strip()
    return _parsed(text) if len(text) <= LONGEST_ENTRY else None
