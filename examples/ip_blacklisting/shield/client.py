"""Who a request comes from: the hop that no client can forge.

Every proxy appends the address it was called by. Read from the right, hops are true as long as trusted
proxies wrote them; the first that is no trusted proxy is the client, and what is left of it is what that
client made up.
RFC 7239 (2014), Forwarded HTTP Extension.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from .addresses import LONGEST_HOP, Host, Network, host_of, parse_address, parse_network

KNOWN = 4_096  # hops whose reading is kept
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
        for _, hop in zip(range(MOST_HOPS), read, strict=False):
            yield hop


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
        ValueError: one is malformed; the message shows it.
    """

    def __init__(self, text: str) -> None:
        self.networks = [_trusted(part) for part in text.split(",") if part.strip()]
        # The proxies themselves are in every request; a bounded cache spares reading them again.
        self._known = lru_cache(maxsize=KNOWN)(self._read)

    def client(self, peer: str, forwarded: Iterable[str]) -> Host | None:
        """Return who sent the request, or None if a trusted proxy names nobody.

        *peer* is who opened the connection, *forwarded* what `hops` returned. A malformed hop that a
        trusted proxy wrote fails closed: guessing would let somebody through, or ban the proxy.
        If all hops are trusted proxies the request comes from inside, from the farthest of them.
        """
        client, trusted = self._known(peer)
        for hop in forwarded:
            if not trusted:
                break
            # What is kept is short, or 4,096 long lies would fill the memory.
            client, trusted = self._known(hop) if len(hop) <= LONGEST_HOP else (None, False)
        return client

    def _read(self, hop: str) -> tuple[Host | None, bool]:
        address = parse_address(hop)
        if address is None:
            return None, False
        one = Network(address, 128)  # a proxy is one address, not its /64
        return host_of(address), any(map(one.overlaps, self.networks))


def _trusted(part: str) -> Network:
    try:
        return parse_network(part)
    except ValueError as error:
        raise ValueError(f"trusted proxy {part.strip()!r} is not a network: {error}") from None
