"""Addresses and networks as numbers, read in every notation that a proxy writes.

A list knows hosts: an IPv4 address, or the upper half of one of IPv6, whose lower half a client chooses.
Both are numbers below 2**64, and no two are one: nobody has an address in ::/32.
RFC 4291 (2006), IP Version 6 Addressing Architecture; RFC 6052 (2010), NAT64.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final, NamedTuple

MAPPED: Final = 0xFFFF  # upper 96 bits of ::ffff:a.b.c.d, as which IPv4 is kept here
EMBEDDED: Final = (MAPPED, 0x64FF9B << 64)  # upper 96 bits before an IPv4: of sockets, of NAT64
HOST_BITS: Final = 64
LONGEST_HOP = 80  # characters: for="[…]:port" with a zone
WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:\[]*):\d+")
DIGITS = re.compile(r"[0-9]{1,3}\Z")

type Host = int


class Span(NamedTuple):
    """The hosts from the first to the last."""

    first: Host
    last: Host


class Network(NamedTuple):
    """A CIDR: the first of its addresses as a number of 128 bits, and the length of the prefix."""

    value: int
    length: int

    @property
    def is_ipv4(self) -> bool:
        return self.value >> 32 == MAPPED

    def __str__(self) -> str:
        if self.is_ipv4:
            return f"{IPv4Address(self.value & 0xFFFFFFFF)}/{self.length - 96}"
        return f"{IPv6Address(self.value)}/{self.length}"

    @property
    def span(self) -> Span:
        return Span(host_of(self.value), host_of(self.value | (1 << 128 - self.length) - 1))

    @property
    def key(self) -> int:
        """The prefix of its hosts behind a 1, so that no two lengths share a key; nothing past a /64."""
        length = self.length - 64 if self.is_ipv4 else min(self.length, HOST_BITS)
        return (1 << HOST_BITS | host_of(self.value)) >> HOST_BITS - length

    def cut(self) -> "Network":
        """Return the network without the bits after its prefix."""
        return Network(self.value >> 128 - self.length << 128 - self.length, self.length)

    def is_wider_than(self, ipv4: int, ipv6: int) -> bool:
        """Tell whether its prefix is shorter than so many bits of an address of its kind."""
        return self.length < (ipv4 + 96 if self.is_ipv4 else ipv6)

    def overlaps(self, other: "Network") -> bool:
        """Tell whether one of the two contains the other; ::/0 contains nothing of IPv4."""
        shift = 128 - min(self.length, other.length)
        return self.is_ipv4 == other.is_ipv4 and (self.value ^ other.value) >> shift == 0


def host_of(value: int) -> Host:
    """Return the host of an address of 128 bits; 0, which nobody is, of one in ::/32."""
    if value >> 32 == MAPPED:
        return value & 0xFFFFFFFF
    high = value >> HOST_BITS
    return high if high >> 32 else 0


def parse_address(text: str) -> int | None:
    """Read an address of 128 bits as proxies write it, also with brackets, port or zone; None if it is none.

    `010.1.1.1` and `1.2.3` are none: programs disagree about which address those are.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_HOP:
        return None
    if (":" in text or text[0] == "[") and (match := WITH_PORT.fullmatch(text)):
        text = match[1] if match[2] is None else match[2]
    try:
        if ":" not in text:
            return MAPPED << 32 | int.from_bytes(inet_pton(AF_INET, text))
        value = int.from_bytes(inet_pton(AF_INET6, text.partition("%")[0]))
    except (OSError, ValueError):  # ValueError: a NUL or a letter beyond ASCII
        return None
    return MAPPED << 32 | value & 0xFFFFFFFF if value >> 32 in EMBEDDED else value


def parse_network(text: str, *, strict: bool = True) -> Network:
    """Read a CIDR or an address.

    Raises:
        ValueError: it is malformed, or *strict* and has bits set after its prefix; the message shows it.
    """
    given = text.strip()  # not by `ipaddress`: a million of these would take five times as long
    first, slash, bits = given.partition("/")
    family, width = (AF_INET6, 128) if ":" in first else (AF_INET, 32)
    try:
        value = int.from_bytes(inet_pton(family, first))
        match = DIGITS.match(bits if slash else str(width))
    except (OSError, ValueError):
        match = None
    if match is None or int(match[0]) > width:
        raise ValueError(f"{given[:LONGEST_HOP]!r} is neither an address nor a CIDR")
    length = 128 - width + int(match[0])
    if width == 32 or (length >= 96 and value >> 32 in EMBEDDED):
        value = MAPPED << 32 | value & 0xFFFFFFFF
    if strict and value & (1 << 128 - length) - 1:
        raise ValueError(f"{given!r} has bits set after its prefix")
    return Network(value, length)


def meant(text: str) -> Network:
    """Return what a list keeps of a network or address: nothing narrower than a /64 of IPv6."""
    network = parse_network(text)
    if network.is_ipv4 or network.length <= HOST_BITS:
        return network
    return Network(network.value, HOST_BITS).cut()
