"""Networks in one hash table, whatever their lengths: added, removed and found in O(1).

A prefix that contains an address is the address cut off at the prefix's length. Linux keeps its sets of
networks so (ipset, hash:net) and probes each length in use; here the first bits say which those are.
https://ipset.netfilter.org/ipset.man.html
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from .addresses import HOST_BITS, Host

NEVER = 0  # expires never
ONE: Final = 1 << HOST_BITS
# Bits of a host after the first 16 of IPv4, the first 32 of IPv6: no ban is wider, see models.py.
TOP_SHIFT, TOP_SHIFT_6 = 16, 32


@lru_cache(maxsize=8_192)
def _with(shifts: tuple[int, ...], shift: int) -> tuple[int, ...]:
    """Return the shifts with one more; equal ones are one object."""
    return tuple(sorted({*shifts, shift}))


def top_of(full: int) -> int:
    return full >> (TOP_SHIFT_6 if full - ONE >> 32 else TOP_SHIFT)


class Table:
    """Keys of networks (`Network.key`) and when they expire; one writer, readers without a lock."""

    def __init__(self, entries: Iterable[tuple[int, int]] = ()) -> None:
        self.entries: dict[int, int] = {}  # expires, in seconds since 1970
        self._shifts: dict[int, tuple[int, ...]] = {}  # of a top: where prefixes below it end
        for key, expires in entries:
            self.add(key, expires)

    def add(self, key: int, expires: int = NEVER) -> None:
        """Add, or put in the place of the network's last entry."""
        self.entries[key] = expires
        shift = HOST_BITS + 1 - key.bit_length()
        top = top_of(key << shift)
        known = self._shifts.get(top, ())
        if shift not in known:
            self._shifts[top] = _with(known, shift)

    def remove(self, key: int) -> None:
        self.entries.pop(key, None)

    def contains(self, host: Host, now: float) -> bool:
        """Tell whether a network contains the host whose entry has not expired at *now*."""
        full, entries = host | ONE, self.entries
        for shift in self._shifts.get(full >> (TOP_SHIFT_6 if host >> 32 else TOP_SHIFT), ()):
            expires = entries.get(full >> shift)
            if expires is not None and (expires == NEVER or now < expires):
                return True
        return False
