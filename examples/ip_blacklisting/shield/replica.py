"""One process's copy of the list: changes applied in order, each exactly once.

Changes are numbered without gaps by the database, so a copy knows what it has missed.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from shield.addresses import parse_network
from shield.matcher import Feed, Matcher, Scope
from shield.run import Run
from shield.snapshot import Document, Snapshot
from shield.table import NEVER, Entry

type FetchRun = Callable[[Document], Run | None]


class Gap(Exception):
    """A change is missing between what was applied and what came."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its number, and a ban or feed as it is after it."""

    seq: int
    document: Document


@dataclass
class Replica:
    """The matcher of this process, and the change it is up to.

    Attributes:
        fetch_run: returns the networks of a feed, or None if a later change brings later ones;
            may raise, then the change is not applied.
        epoch: which list this is; another database is another list.
        checksum: XOR over all bans, in any order of the same changes the same.
    """

    fetch_run: FetchRun
    matcher: Matcher = field(default_factory=Matcher)
    epoch: str = ""
    seq: int = 0
    checksum: int = 0
    documents: dict[str, Document] = field(default_factory=dict)  # of feeds

    def load(self, last: Snapshot) -> None:
        """Replace everything at once: readers see the old list or the new one. *last* is used up."""
        fresh = Replica(self.fetch_run)
        fresh.matcher.exceptions, fresh.matcher.bans = last.exceptions, last.bans
        for document in last.feeds:
            fresh.feed(document)
        self.matcher, self.documents = fresh.matcher, fresh.documents
        self.epoch, self.seq, self.checksum = last.epoch, last.seq, last.checksum

    def snapshot(self) -> Snapshot:
        """Return everything as it is now; it is this copy's own, so write it before the next change."""
        matcher, feeds = self.matcher, list(self.documents.values())
        return Snapshot(
            self.epoch, self.seq, self.checksum, feeds, matcher.exceptions, matcher.bans
        )

    def apply(self, changes: Iterable[Change]) -> int:
        """Apply what is new; return how many changes that were.

        Raises:
            Gap: a change before one of these is missing.
        """
        applied = 0
        for change in changes:
            if change.seq <= self.seq:
                continue
            if change.seq != self.seq + 1:
                raise Gap(f"change {change.seq} came after {self.seq}")
            if "version" in change.document:
                self.feed(change.document)
            else:
                self.ban(change.document)
            self.seq = change.seq
            applied += 1
        return applied

    def ban(self, document: Document) -> None:
        """Add a ban, or remove it if it was lifted."""
        if document["network"] is None:  # forgotten, and so long over
            return
        network = parse_network(document["network"])
        table = self.matcher.exceptions if document["kind"] == "allow" else self.matcher.bans
        if document["lifted"]:
            # An older ban of this network may be lifted after a newer one has taken its place.
            before = table.get(network)
            if before is None or before.id != document["id"]:
                return
            table.remove(network)
        else:
            entry = Entry(
                document["id"],
                document["expires"] or NEVER,
                Scope[document["scope"].upper()],
                document["shadow"],
            )
            before = table.add(network, entry)
            self.checksum ^= mark(entry.id, document["network"])
        if before:
            self.checksum ^= mark(before.id, document["network"])

    def feed(self, document: Document) -> None:
        """Put a feed in the place of its last version; an empty one removes it."""
        feeds = dict(self.matcher.feeds)
        name = document["name"]
        if not document["networks"]:
            feeds.pop(name, None)
            self.documents.pop(name, None)
        elif (run := self.fetch_run(document)) is not None:
            expires = document["expires"] or NEVER
            feeds[name] = Feed(document["id"], name, run, expires, shadow=document["shadow"])
            self.documents[name] = document
        self.matcher.feeds = feeds


def mark(ban: int, network: str) -> int:
    """Return 64 bits that stand for a ban; `checksum.sql` makes the same in the database."""
    return int.from_bytes(
        hashlib.md5(f"{ban}|{network}".encode(), usedforsecurity=False).digest()[:8]
    )
