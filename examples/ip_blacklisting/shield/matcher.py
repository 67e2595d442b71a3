"""Who is refused: exceptions first, then bans, then feeds; no query and no round trip."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from shield.addresses import Address
from shield.run import Run
from shield.table import NEVER, Entry, Table


class Scope(IntEnum):
    """What a ban refuses; the higher, the stricter."""

    LOGIN = 0
    FULL = 1


@dataclass(frozen=True, slots=True)
class Feed:
    """A list of networks from elsewhere, replaced as a whole; it expires if nobody renews it."""

    id: int
    name: str
    run: Run
    expires: int = NEVER
    scope: Scope = Scope.FULL
    shadow: bool = False

    @property
    def entry(self) -> Entry:
        return Entry(self.id, self.expires, self.scope, self.shadow)


@dataclass(frozen=True, slots=True)
class Match:
    """What an address is refused for; `source` is `ban`, or the name of a feed."""

    source: str
    entry: Entry


class Matcher:
    """The layers of one process; one thread writes, all others read without a lock."""

    def __init__(self) -> None:
        self.exceptions = Table()
        self.bans = Table()
        self.feeds: Mapping[str, Feed] = {}  # replaced, never changed

    def __len__(self) -> int:
        runs: int = sum(feed.run.networks for feed in self.feeds.values())
        return len(self.exceptions) + len(self.bans) + runs

    def find(self, address: Address, now: float) -> Match | None:
        """Return what refuses the address at *now*, in seconds since 1970.

        An exception wins over every ban and feed, however narrow those are.
        """
        if self.exceptions.find(address, now):
            return None
        entry = self.bans.find(address, now)
        found = Match("ban", entry) if entry else None
        for feed in self.feeds.values():
            if address not in feed.run:
                continue
            entry = feed.entry
            if entry.active(now) and (found is None or entry.stricter(found.entry)):
                found = Match(feed.name, entry)
        return found
