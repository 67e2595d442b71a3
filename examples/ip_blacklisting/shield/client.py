"""Who a request comes from: the hop that no client can forge.

Every proxy appends the address it was called by. Read from the right, hops are true as long as trusted
proxies wrote them; the first that is no trusted proxy is the client, and what is left of it is what that
client made up.
RFC 7239 (2014), Forwarded HTTP Extension.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from shield.addresses import Address, Network, parse_address, parse_network
from shield.run import Run

KNOWN = 4_096  # hops whose reading is kept
MOST_HOPS = 32  # entries that are read, from the right
FORWARDED_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("(?:[^"\\]|\\.)*"|[^;,"\s]*)', re.IGNORECASE)


def hops(header: str, *, rfc7239: bool = False) -> list[str]:
    """Return the hops of X-Forwarded-For, or of Forwarded, the nearest one first; at most 32."""
    if "," in header:
        found = header.rsplit(",", MOST_HOPS)[-MOST_HOPS:][::-1]
    else:
        found = [header] if header.strip() else []
    if not rfc7239:
        return found
    nodes = (FORWARDED_FOR.search(element) for element in found)
    return [node[1].strip('"') if node else "" for node in nodes]


@dataclass
class Proxies:
    """The networks whose hops are believed."""

    networks: tuple[Network, ...]

    def __post_init__(self) -> None:
        self.run = Run.of(self.networks)
        # The proxies themselves are in every request; a bounded cache spares reading them again.
        self._known = lru_cache(maxsize=KNOWN)(self._read)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read comma-separated CIDRs; raises ValueError, in one sentence, for a malformed one."""
        networks = []
        for part in filter(None, map(str.strip, text.split(","))):
            try:
                networks.append(parse_network(part))
            except ValueError as error:
                raise ValueError(f"trusted proxy {part!r} is not a network: {error}") from None
        return cls(tuple(networks))

    def trust(self, address: Address) -> bool:
        """Tell whether the address belongs to a trusted proxy."""
        return address in self.run

    def client(self, peer: str, forwarded: Sequence[str]) -> Address | None:
        """Return who sent the request, or None if a trusted proxy names nobody.

        *peer* is who opened the connection, *forwarded* what `hops` returned. A malformed hop that a
        trusted proxy wrote fails closed: guessing would let somebody through, or ban the proxy.
        If all hops are trusted proxies the request comes from inside, from the farthest of them.
        """
        client, trusted = self._known(peer)
        for hop in forwarded:
            if not trusted:
                break
            client, trusted = self._known(hop)
        return client

    def _read(self, hop: str) -> tuple[Address | None, bool]:
        address = parse_address(hop)
        return address, address is not None and self.trust(address)
