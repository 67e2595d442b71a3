"""Networks in hash tables, one for each prefix length: added, removed and found in O(1).

A prefix that contains an address is the address cut off at the prefix's length. Linux keeps its sets of
networks so (ipset, hash:net) and probes each length in use; here the first bits say which those are.
https://ipset.netfilter.org/ipset.man.html
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from .addresses import WIDTH, Address, Network

NEVER = 0  # expires never
ID_BITS = 33
TOP: Final = {4: 16, 6: 32}  # bits that say which lengths there are; nobody may ban a wider network

type Part = tuple[int, int, list[int], list[int]]  # version, length, keys, packed entries
type Probes = tuple[tuple[int, dict[int, int]], ...]  # shift, entries; the longest prefix first


class Entry(NamedTuple):
    """What is known of a network; kept as one integer, for a million of them are kept."""

    id: int  # of the ban
    expires: int = NEVER  # seconds since 1970

    def packed(self) -> int:
        return self.expires << ID_BITS | self.id

    @classmethod
    def unpacked(cls, packed: int) -> "Entry":
        return cls(packed & (1 << ID_BITS) - 1, packed >> ID_BITS)


class Table:
    """Networks and their entries; one writer, any number of readers without a lock."""

    def __init__(self) -> None:
        self._maps: dict[tuple[int, int], dict[int, int]] = {}
        self._tops: dict[int, dict[int, Probes]] = {4: {}, 6: {}}
        self._wide: dict[int, Probes] = {4: (), 6: ()}  # of networks that are wider than a top
        self._shared: dict[tuple[int, ...], Probes] = {}

    def __len__(self) -> int:
        return sum(map(len, self._maps.values()))

    def add(self, network: Network, entry: Entry) -> None:
        """Add, or put in the place of the network's last entry."""
        version, value, length = network
        key = value >> (WIDTH[version] - length)
        self.extend(version, length, (key,), (entry.packed(),))

    def extend(self, version: int, length: int, keys: Sequence[int], packed: Sequence[int]) -> None:
        """Add what `parts` has yielded; a million take as long as a hundred thousand calls of `add`."""
        self._maps.setdefault((version, length), {}).update(zip(keys, packed, strict=True))
        below = length - TOP[version]
        if below < 0:
            self._widen(version, length)
            return
        tops, wide = self._tops[version], self._wide[version]
        for top in {key >> below for key in keys}:
            tops[top] = self._with(version, length, tops.get(top, wide))

    def _widen(self, version: int, length: int) -> None:
        """Let every address look for a network that is wider than a top."""
        self._wide[version] = self._with(version, length, self._wide[version])
        self._tops[version] = {
            top: self._with(version, length, probes) for top, probes in self._tops[version].items()
        }

    def _with(self, version: int, length: int, probes: Probes) -> Probes:
        """Return the probes with one more length; equal ones are one object, and never changed."""
        shifts = {shift for shift, _ in probes} | {WIDTH[version] - length}
        if len(shifts) == len(probes):
            return probes
        ordered = tuple(sorted(shifts))
        found = self._shared.get((version, *ordered))
        if found is None:
            found = tuple((each, self._maps[version, WIDTH[version] - each]) for each in ordered)
            self._shared[version, *ordered] = found
        return found

    def parts(self, most: int) -> Iterator[Part]:
        """Yield all that is in it, so many networks at a time: what `extend` takes."""
        for (version, length), entries in self._maps.items():
            given = iter(entries.items())
            while part := dict(islice(given, most)):
                yield version, length, list(part), list(part.values())

    def remove(self, network: Network) -> None:
        version, value, length = network
        self._maps.get((version, length), {}).pop(value >> (WIDTH[version] - length), None)

    def get(self, network: Network) -> Entry | None:
        """Return the entry of exactly this network."""
        version, value, length = network
        packed = self._maps.get((version, length), {}).get(value >> (WIDTH[version] - length))
        return None if packed is None else Entry.unpacked(packed)

    def contains(self, address: Address, now: float) -> bool:
        """Tell whether a network contains the address whose entry has not expired at *now*."""
        version, value = address
        top = value >> 16 if version == 4 else value >> 96
        for shift, entries in self._tops[version].get(top, self._wide[version]):
            packed = entries.get(value >> shift)
            if packed is not None:
                expires = packed >> ID_BITS
                if expires == NEVER or now < expires:
                    return True
        return False
