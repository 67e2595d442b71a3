"""A long list of networks that never changes: the bounds of its ranges in one block of memory.

Ranges that overlap or touch are merged, so the bounds alternate: a range begins, it ends, the next begins.
An address is in the list if an odd number of bounds is not above it: one bisection answers, however many
networks, lengths of prefixes and lists went into it.
The block is read where it lies: mapped from a file, all processes of a machine share one copy of it.
"""

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Self

from .addresses import WIDTH, Address, Span

MAGIC = b"run3" + sys.byteorder[:4].encode()  # numbers lie as this machine reads them
HEAD = Struct("=8sIIQ")  # magic, bounds of IPv4, bounds of IPv6, networks
HALF = 64
LOW = 2**HALF - 1


class Run:
    """Merged ranges; any number of readers.

    Attributes:
        networks: how many there were before they were merged.
    """

    networks: int

    def __init__(self, buffer: memoryview) -> None:
        magic, old, new, self.networks = HEAD.unpack_from(buffer)
        if magic != MAGIC:
            raise ValueError("this is no run of networks of this machine's byte order")
        highs, lows = HEAD.size + 8 * new, HEAD.size + 16 * new
        self._highs = buffer[HEAD.size : highs].cast("Q")
        self._lows = buffer[highs:lows].cast("Q")
        self._bounds = buffer[lows : lows + 4 * old].cast("I")

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Self:
        return cls(memoryview(pack(spans)))

    def __contains__(self, address: Address) -> bool:
        return self._place(*address) & 1 == 1

    def touches(self, span: Span) -> bool:
        """Tell whether an address of the span is in the list."""
        version, first, last = span
        place = self._place(version, first)
        return place & 1 == 1 or (first != last and place != self._place(version, last))

    def _place(self, version: int, value: int) -> int:
        """Return how many bounds are not above the address."""
        if version == 4:
            return bisect_right(self._bounds, value)
        high = value >> HALF
        end = bisect_right(self._highs, high)
        # Among those with the same upper half the lower one decides.
        return bisect_right(self._lows, value & LOW, bisect_left(self._highs, high, 0, end), end)

    def __iter__(self) -> Iterator[Span]:
        for version, bounds in ((4, iter(self._bounds)), (6, self._whole())):
            for first in bounds:
                yield Span(version, first, next(bounds, 1 << WIDTH[version]) - 1)

    def _whole(self) -> Iterator[int]:
        for high, low in zip(self._highs, self._lows, strict=True):
            yield high << HALF | low


def pack(spans: Iterable[Span], networks: int | None = None) -> bytes:
    """Return the run of the spans; *networks* is how many it counts as, by default all of them.

    Memory: of a million, one number each is kept meanwhile, and not the spans.
    """
    kept: dict[int, list[int]] = {4: [], 6: []}
    for version, first, last in spans:
        kept[version].append(first << WIDTH[version] | last)
    count = len(kept[4]) + len(kept[6])
    old, highs, lows = array("I", _bounds(4, kept[4])), array("Q"), array("Q")
    for bound in _bounds(6, kept[6]):
        highs.append(bound >> HALF)
        lows.append(bound & LOW)
    head = HEAD.pack(MAGIC, len(old), len(highs), count if networks is None else networks)
    return b"".join([head, highs.tobytes(), lows.tobytes(), old.tobytes()])


def _bounds(version: int, codes: list[int]) -> Iterator[int]:
    """Yield where merged ranges begin and end; a code is the first address of one, and its last."""
    codes.sort()
    width = WIDTH[version]
    last, end = (1 << width) - 1, -1  # the first address after the range so far
    for code in codes:
        first = code >> width
        if first > end:
            if end >= 0:
                yield end
            yield first
        end = max(end, (code & last) + 1)
    if 0 <= end <= last:
        yield end
