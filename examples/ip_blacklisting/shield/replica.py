"""One process's copy of the list: changes applied in order, each exactly once.

The database numbers the changes, and marks each, so a copy knows what it has missed, and that a number stands
for another change than the one it has: a database that was restored counts on from where it was. Raft
compares its logs in the same way (Ongaro and Ousterhout, 2014).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .addresses import Host, parse_network
from .run import Run
from .table import NEVER, Table

type Document = Mapping[str, Any]  # of a ban or of all feeds, as schema.sql writes them
type FetchRun = Callable[[str], Run | None]

NO_FEEDS: Document = {"digest": "", "networks": 0}


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and a ban or all feeds as they are after it.

    Attributes:
        mark: of this change; another one of the same number bears another.
    """

    seq: int
    mark: str
    document: Document


@dataclass
class Replica:
    """Everything as it is after change *seq*, which bears *mark*; one thread writes, all others read.

    Attributes:
        feeds: what the truth says of all feeds; their networks are *run*, which is replaced, never changed.
    """

    seq: int = 0
    mark: str = ""
    feeds: Document = field(default_factory=lambda: NO_FEEDS)
    exceptions: Table = field(default_factory=Table)
    bans: Table = field(default_factory=Table)
    run: Run = field(default_factory=lambda: Run(b""))

    def __len__(self) -> int:
        known = len(self.exceptions.entries) + len(self.bans.entries)
        return known + int(self.feeds["networks"])

    def refuses(self, host: Host, now: float) -> bool:
        """Tell whether the host is refused at *now*, in seconds since 1970; no query and no round trip.

        An exception wins over every ban and feed, however narrow those are.
        """
        if host in self.run or self.bans.contains(host, now):
            return not self.exceptions.contains(host, now)
        return False

    def is_continued_by(self, changes: Sequence[Change]) -> bool:
        """Tell whether the truth's changes from *seq* on begin with the last one here."""
        if self.seq == 0:
            return not changes or changes[0].seq == 1
        return bool(changes) and (changes[0].seq, changes[0].mark) == (self.seq, self.mark)

    def apply(self, changes: Sequence[Change], fetch_run: FetchRun) -> None:
        """Apply what is new; *fetch_run* returns the run with a digest, None if a later change brings one."""
        for change in changes:
            if change.seq <= self.seq:
                continue
            if "digest" in change.document:
                self.take_feeds(change.document, fetch_run)
            else:
                self.take_ban(change.document)
            self.seq, self.mark = change.seq, change.mark

    def take_ban(self, document: Document) -> None:
        """Add a ban or an exception, or remove it if it was lifted."""
        table = self.exceptions if document["kind"] == "allow" else self.bans
        key = parse_network(document["network"]).key
        if document["lifted"]:
            table.remove(key)
        else:
            table.add(key, document["expires"] or NEVER)

    def take_feeds(self, document: Document, fetch_run: FetchRun) -> None:
        """Put the feeds in the place of their last versions."""
        run = fetch_run(document["digest"]) if document["networks"] else Run(b"")
        self.run = self.run if run is None else run
        self.feeds = document
