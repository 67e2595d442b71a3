"""A long list of networks that never changes: the bounds of its ranges in one block of memory.

Ranges that overlap or touch are merged, so the bounds alternate: a range begins, it ends, the next begins.
A host is in the list if an odd number of bounds is not above it: one bisection answers, however many
networks, lengths of prefixes and lists went into it.
The block is read where it lies: mapped from a file, all processes of a machine share one copy of it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from .addresses import HOST_BITS, Host, Span

END = 1 << HOST_BITS  # of a range that ends with the last host: no bound


class Run:
    """Merged ranges; any number of readers."""

    def __init__(self, block: bytes | memoryview) -> None:
        self._bounds = memoryview(block).cast("Q")  # as this machine writes numbers

    def __contains__(self, host: Host) -> bool:
        return bisect_right(self._bounds, host) & 1 == 1

    def touches(self, span: Span) -> bool:
        """Tell whether a host of the span is in the list."""
        place = bisect_right(self._bounds, span.first)
        return place & 1 == 1 or place != bisect_right(self._bounds, span.last)

    def __iter__(self) -> Iterator[Span]:
        bounds = iter(self._bounds)
        for first in bounds:
            yield Span(first, next(bounds, END) - 1)


def pack(spans: Iterable[Span]) -> bytes:
    """Return the run of the spans.

    Memory: of a million, one number each is kept meanwhile, and not the spans.
    """
    codes = [first << HOST_BITS | last for first, last in spans]
    codes.sort()
    bounds, end = array("Q"), -1  # the first host after the range so far
    for code in codes:
        first, after = code >> HOST_BITS, (code & END - 1) + 1
        if first > end:
            bounds.extend((first,) if end < 0 else (end, first))
        end = max(end, after)
    if 0 <= end < END:
        bounds.append(end)
    return bounds.tobytes()
