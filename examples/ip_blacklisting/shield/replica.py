"""One process's copy of the list: changes applied in order, each exactly once.

Changes are numbered without gaps by the database, and each names the one before it, so a copy knows what it
has missed, and that a number stands for another change than the one it has: a database that was restored
counts on from where it was. Raft compares its logs in the same way (Ongaro and Ousterhout, 2014).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .addresses import parse_network
from .matcher import Matcher
from .run import Run
from .snapshot import NO_FEEDS, Document, Snapshot
from .table import NEVER, Entry

type FetchRun = Callable[[str], Run | None]


class Gap(Exception):
    """What came does not continue what was applied."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and a ban or all feeds as they are after it.

    Attributes:
        mark: of this change; another one of the same number bears another.
        previous: the mark of the change before.
    """

    seq: int
    mark: str
    previous: str
    document: Document


def continues(changes: Sequence[Change], seq: int, mark: str) -> bool:
    """Tell whether changes from *seq* on, as the truth has them, begin with the one that bears *mark*."""
    if seq == 0:
        return not changes or changes[0].seq == 1
    return bool(changes) and (changes[0].seq, changes[0].mark) == (seq, mark)


@dataclass
class Replica:
    """The matcher of this process, and the change it is up to.

    Attributes:
        fetch_run: returns the run with a digest, or None if a later change brings a later one;
            may raise, then the change is not applied.
    """

    fetch_run: FetchRun
    matcher: Matcher = field(default_factory=Matcher)
    seq: int = 0
    mark: str = ""
    document: Document = field(default_factory=lambda: NO_FEEDS)  # of the feeds

    def load(self, last: Snapshot) -> None:
        """Replace everything at once: readers see the old list or the new one. *last* is used up."""
        fresh = Replica(self.fetch_run)
        fresh.matcher.exceptions, fresh.matcher.bans = last.exceptions, last.bans
        fresh.matcher.feeds = (
            self.matcher.feeds
        )  # for a moment, if a later change brings later ones
        fresh.feeds(last.feeds)
        self.matcher, self.document = fresh.matcher, fresh.document
        self.seq, self.mark = last.seq, last.mark

    def snapshot(self) -> Snapshot:
        """Return everything as it is now; it is this copy's own, so write it before the next change."""
        matcher = self.matcher
        return Snapshot(self.seq, self.mark, self.document, matcher.exceptions, matcher.bans)

    def apply(self, changes: Iterable[Change]) -> int:
        """Apply what is new; return how many changes that were.

        Raises:
            Gap: a change before one of these is missing, or another one.
        """
        applied = 0
        for change in changes:
            if change.seq <= self.seq:
                continue
            if (change.seq, change.previous) != (self.seq + 1, self.mark):
                raise Gap(f"change {change.seq} does not continue {self.seq}")
            if "digest" in change.document:
                self.feeds(change.document)
            else:
                self.ban(change.document)
            self.seq, self.mark = change.seq, change.mark
            applied += 1
        return applied

    def ban(self, document: Document) -> None:
        """Add a ban, or remove it if it was lifted."""
        network = parse_network(document["network"])
        table = self.matcher.exceptions if document["kind"] == "allow" else self.matcher.bans
        if not document["lifted"]:
            table.add(network, Entry(document["id"], document["expires"] or NEVER))
            return
        # An older ban of this network may be lifted after a newer one has taken its place.
        before = table.get(network)
        if before and before.id == document["id"]:
            table.remove(network)

    def feeds(self, document: Document) -> None:
        """Put the feeds in the place of their last versions."""
        if not document["networks"]:
            self.matcher.feeds = Run.of(())
        elif (run := self.fetch_run(document["digest"])) is not None:
            self.matcher.feeds = run
        self.document = document
