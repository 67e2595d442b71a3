"""Lists from elsewhere: read line by line, checked, and refused as a whole if they cannot be right."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from .addresses import HOST_BITS, LONGEST_HOP, Span, parse_network
from .formats import EXPECTED, lines_of, span_of
from .run import Run, pack

WIDEST, WIDEST_6 = 8, 19  # bits: the widest blocks that registries hand out
MOST_MALFORMED = 0.1  # of all lines: then this is no list, but an error page
MOST_GROWTH = 2.0  # of the last version, and as much to shrink
SMALL = 100  # networks: a list that was and is shorter may do as it likes
SHOWN = 20  # rejected lines in a report

# Addresses that no public client has: RFC 6890, and multicast.
SPECIAL: Final = (
    Span(1 << 32, (1 << 56) - 1),  # ::/8 without ::/32, whose place is that of IPv4
    *(
        parse_network(text).span
        for text in (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "224.0.0.0/3"),
            *("fc00::/7", "fe80::/10", "ff00::/8"),
        )
    ),
)


class Unfit(ValueError):
    """The list as a whole cannot be right; the last version stays. The message says why."""


@dataclass
class Import:
    """What was read, and what was left out of it.

    Attributes:
        run: what is left, see `run`.
        formats: how many lines were read in each format.
        rejected: the first lines that were left out, each with the reason.
    """

    run: bytes = b""
    networks: int = 0
    lines: int = 0
    malformed: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    rejected: list[str] = field(default_factory=list)

    def reject(self, reason: str) -> None:
        if len(self.rejected) < SHOWN:
            self.rejected.append(f"line {self.lines}: {reason}")


def read(data: bytes, protected: Iterable[Span] = ()) -> Import:
    """Read a feed; leave out what is malformed, too wide, or contains special or *protected* hosts."""
    result = Import()
    result.run = pack(_fit(data, Run(pack((*SPECIAL, *protected))), result))
    return result


def _fit(data: bytes, never: Run, result: Import) -> Iterator[Span]:
    """Yield what may be banned, and count and name what may not."""
    for line in lines_of(data):
        result.lines += 1
        try:
            found, span = span_of(line)
        except ValueError as error:
            result.malformed += 1
            result.reject(str(error))
            continue
        result.formats[found] += 1
        widest, bits = (WIDEST_6, HOST_BITS) if span.last >> 32 else (WIDEST, 32)
        if span.last - span.first >> bits - widest:
            result.reject(f"{line[:LONGEST_HOP]!r} is wider than a /{widest}")
        elif never.touches(span):
            result.reject(f"{line[:LONGEST_HOP]!r} contains addresses that no stranger has")
        else:
            result.networks += 1
            yield span


def check(result: Import, last: int) -> None:
    """Raise Unfit if a feed of *last* networks cannot have become this one."""
    count = result.networks
    if result.malformed > MOST_MALFORMED * result.lines:
        raise Unfit(
            f"{result.malformed} of {result.lines} lines are malformed; {result.rejected[0]}; {EXPECTED}"
        )
    if not count:
        raise Unfit("the list is empty: to empty it, force it or delete the feed")
    if last and max(last, count) > SMALL and not last / MOST_GROWTH <= count <= last * MOST_GROWTH:
        raise Unfit(
            f"{count} networks instead of {last}: more than {MOST_GROWTH:.0f} times the change;"
            " force it if that is right"
        )
