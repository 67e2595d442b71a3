"""Addresses and networks as integers, read in every notation that a proxy writes.

RFC 4291 (2006), IP Version 6 Addressing Architecture; RFC 6052 (2010), NAT64.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final, NamedTuple

WIDTH: Final = {4: 32, 6: 128}
HOST: Final = 64  # bits of the prefix that every host of IPv6 can spend
EMBEDDED: Final = (0xFFFF, 0x64FF9B << 64)  # upper 96 bits before an IPv4: of sockets, of NAT64
LONGEST_HOP = 80  # characters: for="[…]:port" with a zone
WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:\[]*):\d+")
DIGITS = re.compile(r"[0-9]{1,3}\Z")


class Address(NamedTuple):
    """One address: its version, 4 or 6, and its bits as a number."""

    version: int
    value: int

    def __str__(self) -> str:
        return str((IPv4Address if self.version == 4 else IPv6Address)(self.value))


class Span(NamedTuple):
    """The addresses from the first to the last."""

    version: int
    first: int
    last: int

    def __str__(self) -> str:
        return f"{Address(self.version, self.first)}-{Address(self.version, self.last)}"


class Network(NamedTuple):
    """A CIDR: the first address as a number, and the length of the prefix in bits."""

    version: int
    value: int
    length: int

    def __str__(self) -> str:
        return f"{Address(self.version, self.value)}/{self.length}"

    @property
    def span(self) -> Span:
        version, value, length = self
        return Span(version, value, value | (1 << WIDTH[version] - length) - 1)

    def cut(self) -> "Network":
        """Return the network without the bits after its prefix."""
        version, value, length = self
        shift = WIDTH[version] - length
        return Network(version, value >> shift << shift, length)

    def overlaps(self, other: "Network") -> bool:
        """Tell whether one of the two contains the other."""
        shift = WIDTH[self.version] - min(self.length, other.length)
        return self.version == other.version and (self.value ^ other.value) >> shift == 0


def parse_address(text: str) -> Address | None:
    """Read an address as proxies write it, also with brackets, port or zone; None if it is none.

    `010.1.1.1` and `1.2.3` are none: programs disagree about which address those are.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_HOP:
        return None
    if (":" in text or text[0] == "[") and (match := WITH_PORT.fullmatch(text)):
        text = match[1] if match[2] is None else match[2]
    try:
        if ":" not in text:
            return Address(4, int.from_bytes(inet_pton(AF_INET, text)))
        value = int.from_bytes(inet_pton(AF_INET6, text.partition("%")[0]))
    except (OSError, ValueError):  # ValueError: a NUL or a letter beyond ASCII
        return None
    return Address(4, value & 0xFFFFFFFF) if value >> 32 in EMBEDDED else Address(6, value)


def parse_network(text: str) -> Network:
    """Read a CIDR or an address; ValueError names what is malformed, or has bits set after its prefix."""
    network = version, value, length = parse_loosely(text)
    if value & ((1 << WIDTH[version] - length) - 1):
        raise ValueError(f"{text.strip()!r} has bits set after its prefix")
    return network


def parse_loosely(text: str) -> Network:
    """Read a CIDR or an address, whose bits after the prefix stay; ValueError names what is malformed."""
    given = text.strip()  # not by `ipaddress`: a million of these would take five times as long
    first, slash, bits = given.partition("/")
    version = 6 if ":" in first else 4
    length = WIDTH[version] if not slash else int(bits) if DIGITS.match(bits) else -1
    try:
        value = int.from_bytes(inet_pton(AF_INET6 if version == 6 else AF_INET, first))
    except (OSError, ValueError):
        length = -1
    if not 0 <= length <= WIDTH[version]:
        raise ValueError(f"{given[:LONGEST_HOP]!r} is neither an address nor a CIDR")
    if version == 6 and length >= 96 and value >> 32 in EMBEDDED:
        return Network(4, value & 0xFFFFFFFF, length - 96)
    return Network(version, value, length)


def meant(text: str) -> Network:
    """Return the network itself, or for a lone address what its client can spend: a /32, or a /64."""
    network = parse_network(text)
    if "/" in text or network.version == 4:
        return network
    return Network(6, network.value, HOST).cut()
