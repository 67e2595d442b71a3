"""Who a request comes from: the hop that no client can forge.

Every proxy appends the address it was called by. Read from the right, hops are true as long as trusted
proxies wrote them; the first that is no trusted proxy is the client, and what is left of it is what that
client made up.
RFC 7239 (2014), Forwarded HTTP Extension.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from .addresses import Host, Network, host_of, parse_address, parse_network

WIDEST_PRIVATE = 8, 7  # bits of the prefixes of 10.0.0.0/8 and fc00::/7
MOST_HOPS = 32  # that are read, from the right
LONGEST_ELEMENT = 512  # characters of one hop in Forwarded
QUOTED = r'"(?:[^"\\]|\\.)*"'
PAIR = rf"""\s*([^\s",;=]+)=({QUOTED}|[^\s"\\,;]*)\s*"""
ELEMENT = re.compile(rf"{PAIR}(?:;{PAIR})*")
PAIRS = re.compile(PAIR)
ESCAPED = re.compile(r"\\(.)")


def hops(header: str, *, rfc7239: bool = False) -> Iterator[str]:
    """Yield the hops of X-Forwarded-For, or of Forwarded, the nearest one first; at most 32."""
    if header.strip():
        read = _elements(header) if rfc7239 else reversed(header.rsplit(",", MOST_HOPS))
        yield from islice(read, MOST_HOPS)


def _elements(header: str) -> Iterator[str]:
    """Yield what `for` says in each element of Forwarded; nothing for one that is malformed, and end.

    From the right: a client may open a quote that a proxy's element would then close. The shortest end of
    the header that is an element is the last proxy's: one that began within its quotes would end in some.
    """
    end = len(header)
    while end >= 0:
        start = end
        while True:
            start = header.rfind(",", max(0, end - LONGEST_ELEMENT), start)
            if ELEMENT.fullmatch(header, start + 1, end):
                break
            if start < 0:
                yield ""
                return
        yield _node(header[start + 1 : end])
        end = start


def _node(element: str) -> str:
    """Return the value of `for`, without its quotes; nothing if there is not exactly one."""
    found = [value for name, value in PAIRS.findall(element) if name.lower() == "for"]
    if len(found) != 1:
        return ""
    return ESCAPED.sub(r"\1", found[0][1:-1]) if found[0].startswith('"') else str(found[0])


class Proxies:
    """The networks whose hops are believed, as comma-separated CIDRs.

    Raises:
        ValueError: one is malformed, or contains strangers; the message shows it.
    """

    def __init__(self, text: str) -> None:
        self.networks = [parse_network(part) for part in text.split(",") if part.strip()]
        for each in self.networks:
            if each.is_wider_than(*WIDEST_PRIVATE):
                raise ValueError(f"{each} contains strangers, who would choose their address")

    def client(self, peer: str, forwarded: Iterable[str]) -> Host | None:
        """Return who sent the request, or None if a trusted proxy names nobody.

        *peer* is who opened the connection, *forwarded* what `hops` returned. A malformed hop that a
        trusted proxy wrote fails closed: guessing would let somebody through, or ban the proxy.
        If all hops are trusted proxies the request comes from inside, from the farthest of them.
        """
        client = None
        for hop in chain((peer,), forwarded):
            address = parse_address(hop)
            client = None if address is None else host_of(address)
            if address is None or not self._trusts(address):
                break
        return client

    def _trusts(self, address: int) -> bool:
        """Tell whether it is a proxy's: one address, not its /64."""
        return any(map(Network(address, 128).overlaps, self.networks))
