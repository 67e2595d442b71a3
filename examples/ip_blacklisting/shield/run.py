"""A long list of networks that never changes: sorted ranges in one block of memory, 8 bytes for one of IPv4.

Ranges that overlap or touch are merged, so the last one that begins before an address is the only one
that can contain it: one bisection answers, however many lengths of prefixes the list has.
The block is read where it lies: mapped from a file, all processes of a machine share one copy of it.
"""

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby
from struct import Struct
from typing import Self

from shield.addresses import WIDTH, Address, Network

MAGIC = b"run2" + sys.byteorder[:4].encode()  # numbers lie as this machine reads them
HEAD = Struct("=8sIIII")  # magic, networks, ranges of IPv4, ranges of IPv6, padding
HALF = 64
LOW = 2**HALF - 1

type Numbers = memoryview[int]


class Run:
    """Merged ranges; any number of readers.

    Attributes:
        networks: how many there were before they were merged.
    """

    networks: int

    def __init__(self, buffer: memoryview) -> None:
        magic, self.networks, old, new, _ = HEAD.unpack_from(buffer)
        if magic != MAGIC:
            raise ValueError("this is no run of networks of this machine's byte order")
        place = HEAD.size
        self._old: list[Numbers] = []  # first, last
        self._new: list[Numbers] = []  # upper and lower half of first, and of last
        for kept, count, kind, size in ((self._new, new, "Q", 8), (self._old, old, "I", 4)):
            for _ in range(4 if kind == "Q" else 2):
                view = buffer[place : place + count * size]
                kept.append(view.cast("Q") if kind == "Q" else view.cast("I"))
                place += count * size

    @classmethod
    def of(cls, networks: Iterable[Network]) -> Self:
        return cls(memoryview(pack(networks)))

    def __contains__(self, address: Address) -> bool:
        version, value = address
        if version == 4:
            firsts, lasts = self._old
            place = bisect_right(firsts, value) - 1
            return place >= 0 and value <= lasts[place]
        first_high, first_low, last_high, last_low = self._new
        high, low = value >> HALF, value & LOW
        end = bisect_right(first_high, high)
        # Among those with the same upper half the lower one decides; before them, the last is the nearest.
        start = bisect_left(first_high, high, 0, end)
        place = bisect_right(first_low, low, start, end) - 1
        return place >= 0 and (high, low) <= (last_high[place], last_low[place])


def pack(networks: Iterable[Network]) -> bytes:
    """Return the run of the networks, each of them once.

    Memory: of a million, one number each is kept meanwhile, and not the networks.
    """
    kept: dict[int, list[int]] = {4: [], 6: []}
    for version, value, length in networks:
        kept[version].append(value << 8 | length)
    count = 0
    ranges: dict[int, list[array[int]]] = {4: [], 6: []}
    for version, codes in kept.items():
        codes.sort()
        count += sum(1 for _ in groupby(codes))
        ranges[version] = _columns(version, codes)
    sizes = len(ranges[4][0]), len(ranges[6][0])
    columns = [column.tobytes() for version in (6, 4) for column in ranges[version]]
    return b"".join([HEAD.pack(MAGIC, count, *sizes, 0), *columns])


def _columns(version: int, codes: list[int]) -> list["array[int]"]:
    kind = "I" if version == 4 else "Q"
    columns = [array(kind) for _ in range(2 if version == 4 else 4)]
    for first, last in _merged(version, codes):
        parts = (
            (first, last)
            if version == 4
            else (first >> HALF, first & LOW, last >> HALF, last & LOW)
        )
        for column, part in zip(columns, parts, strict=True):
            column.append(part)
    return columns


def _merged(version: int, codes: list[int]) -> Iterator[tuple[int, int]]:
    """Yield disjoint ranges of sorted networks, the wider first where two begin together."""
    first = last = -2
    for code in codes:
        begin = code >> 8
        end = begin | ((1 << WIDTH[version] - (code & 0xFF)) - 1)
        if begin > last + 1:
            if last >= 0:
                yield first, last
            first = begin
        last = max(last, end)
    if last >= 0:
        yield first, last
