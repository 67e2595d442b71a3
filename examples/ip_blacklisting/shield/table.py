"""Networks in one hash table, whatever their lengths: added, removed and found in O(1).

A prefix that contains an address is the address cut off at the prefix's length. Linux keeps its sets of
networks so (ipset, hash:net) and probes each length in use; here a row of places says which those are.
https://ipset.netfilter.org/ipset.man.html
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from .addresses import HOST_BITS, Host

NEVER = 0  # expires never
ONE: Final = 1 << HOST_BITS
PLACES: Final = 1 << 18  # of IPv4, by the first 18 bits; behind them as many of IPv6


@lru_cache(maxsize=8_192)
def _with(shifts: tuple[int, ...], shift: int) -> tuple[int, ...]:
    """Return the shifts with one more; equal ones are one object."""
    return tuple(sorted({*shifts, shift}))


def place_of(host: Host) -> int:
    """Return where a host is looked up; many /32s of IPv6 share a place, and probe each other's lengths."""
    return PLACES + (host >> 32) % PLACES if host >> 32 else host >> 14


class Table:
    """Keys of networks (`Network.key`) and when they expire; one writer, readers without a lock."""

    def __init__(self, entries: Iterable[tuple[int, int]] = ()) -> None:
        self.entries: dict[int, int] = {}  # expires, in seconds since 1970
        self._shifts: list[tuple[int, ...]] = [()] * (2 * PLACES)  # where prefixes there end
        for key, expires in entries:
            self.add(key, expires)

    def add(self, key: int, expires: int = NEVER) -> None:
        """Add, or put in the place of the network's last entry."""
        self.entries[key] = expires
        shift = HOST_BITS + 1 - key.bit_length()
        first = (key << shift) - ONE
        last = first + (1 << shift) - 1
        # At most four places: no ban is wider than a /16, or a /32 of IPv6, see width.sql.
        for place in range(place_of(first), place_of(last) + 1):
            known = self._shifts[place]
            if shift not in known:
                self._shifts[place] = _with(known, shift)

    def remove(self, key: int) -> None:
        self.entries.pop(key, None)

    def contains(self, host: Host, now: float) -> bool:
        """Tell whether a network contains the host whose entry has not expired at *now*."""
        full, entries = host | ONE, self.entries
        for shift in self._shifts[place_of(host)]:
            expires = entries.get(full >> shift)
            if expires is not None and (expires == NEVER or now < expires):
                return True
        return False
