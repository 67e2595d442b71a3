"""Networks in hash tables, one for each prefix length: added, removed and found in O(1).

A prefix that contains an address is the address cut off at the prefix's length, so a lookup probes each
length that is in use. Linux keeps its sets of networks in the same way (ipset, hash:net).
https://ipset.netfilter.org/ipset.man.html
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from shield.addresses import WIDTH, Address, Network

NEVER = 0  # expires never
ID_MASK = 2**33 - 1

type Part = tuple[int, int, list[int], list[int]]  # version, length, keys, packed entries


class Entry(NamedTuple):
    """What is known of a network; kept as one integer, for a million of them are kept.

    Attributes:
        id: of the ban, or of the feed.
        expires: seconds since 1970; NEVER is 0.
        scope, shadow: see `matcher`.
    """

    id: int
    expires: int
    scope: int
    shadow: bool

    def packed(self) -> int:
        return self.expires << 36 | self.id << 3 | self.scope << 1 | self.shadow

    @classmethod
    def unpacked(cls, packed: int) -> "Entry":
        return cls(packed >> 3 & ID_MASK, packed >> 36, packed >> 1 & 3, bool(packed & 1))

    def stricter(self, other: "Entry") -> bool:
        return (not self.shadow, self.scope) > (not other.shadow, other.scope)

    def active(self, now: float) -> bool:
        return self.expires == NEVER or now < self.expires


class Table:
    """Networks and their entries; one writer, any number of readers without a lock."""

    def __init__(self) -> None:
        self._maps: dict[tuple[int, int], dict[int, int]] = {}
        # What readers iterate over is replaced, never changed: a new length must not disturb them.
        self._probes: dict[int, tuple[tuple[int, dict[int, int]], ...]] = {4: (), 6: ()}

    def __len__(self) -> int:
        return sum(map(len, self._maps.values()))

    def __iter__(self) -> Iterator[tuple[Network, Entry]]:
        for (version, length), entries in self._maps.items():
            shift = WIDTH[version] - length
            for key, packed in entries.items():
                yield Network(version, key << shift, length), Entry.unpacked(packed)

    def add(self, network: Network, entry: Entry) -> Entry | None:
        """Add or replace; return what was there before."""
        version, value, length = network
        entries = self._of(version, length)
        key = value >> (WIDTH[version] - length)
        before = entries.get(key)
        entries[key] = entry.packed()
        return None if before is None else Entry.unpacked(before)

    def _of(self, version: int, length: int) -> dict[int, int]:
        entries = self._maps.get((version, length))
        if entries is None:
            entries = self._maps[version, length] = {}
            self._probes[version] = tuple(
                (WIDTH[version] - each, kept)
                for (which, each), kept in sorted(self._maps.items())
                if which == version
            )
        return entries

    def parts(self, most: int) -> Iterator[Part]:
        """Yield all that is in it, so many networks at a time: what `extend` takes."""
        for (version, length), entries in self._maps.items():
            given = iter(entries.items())
            while part := dict(islice(given, most)):
                yield version, length, list(part), list(part.values())

    def extend(self, version: int, length: int, keys: Iterable[int], packed: Iterable[int]) -> None:
        """Add what `parts` has yielded; a million take as long as a hundred thousand calls of `add`."""
        self._of(version, length).update(zip(keys, packed, strict=True))

    def remove(self, network: Network) -> Entry | None:
        """Remove what is there, and return it."""
        version, value, length = network
        packed = self._maps.get((version, length), {}).pop(value >> (WIDTH[version] - length), None)
        return None if packed is None else Entry.unpacked(packed)

    def get(self, network: Network) -> Entry | None:
        """Return the entry of exactly this network."""
        version, value, length = network
        packed = self._maps.get((version, length), {}).get(value >> (WIDTH[version] - length))
        return None if packed is None else Entry.unpacked(packed)

    def find(self, address: Address, now: float) -> Entry | None:
        """Return the strictest active entry that contains the address: the widest scope, shadows last."""
        value = address.value
        found = None
        for shift, entries in self._probes[address.version]:
            packed = entries.get(value >> shift)
            if packed is None:
                continue
            entry = Entry.unpacked(packed)
            if entry.active(now) and (found is None or entry.stricter(found)):
                found = entry
        return found
