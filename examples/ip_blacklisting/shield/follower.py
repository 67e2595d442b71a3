"""Keeps a replica up to date: a bell tells that something has changed, the truth tells what.

The bell is heard once more by who was cut off from it; who hears nothing at all asks now and then.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .replica import Change, Replica
from .snapshot import Disk

WAIT_SECONDS = 1.0  # for the bell, while it is quiet
RETRY_SECONDS = 0.3  # between two questions to the truth, while there is no bell
RECONNECT_SECONDS = 0.1  # between two attempts to reach who does not answer
CATCH_UP_SECONDS = 3.0  # between two questions to the truth, while there is one
MOST_CHANGES = 5_000  # of more, reading everything again is the shorter way

logger = logging.getLogger(__name__)


class SourceDown(Exception):
    """The bell or the truth did not answer; the list stays as it is."""


@dataclass
class Follower:
    """Two threads of a process: one listens to the bell, one asks the truth and writes the replica.

    They are two because a bell that is gone may not say so: a name that is not resolved any more takes
    many seconds to fail.

    The first three ask the truth and wait for the bell, and may raise SourceDown.

    Attributes:
        changes: returns the change of this number, if there is one, and those after it: in order, and so
            many at most.
        everything: returns all that the truth has but the networks of feeds.
        wait: tells whether the bell has rung since it was last asked, or rings within so many seconds.
        ready: set once there is a list to decide by.
        boot_seconds: how long that took.
    """

    changes: Callable[[int, int], Sequence[Change]]
    everything: Callable[[], Replica]
    wait: Callable[[float], bool]
    disk: Disk
    replica: Replica = field(default_factory=Replica)
    ready: threading.Event = field(default_factory=threading.Event)
    boot_seconds: float = 0.0
    _rung: threading.Event = field(default_factory=threading.Event)
    _listening: bool = False

    def start(self) -> None:
        for step in (self.look_after, self.listen):
            threading.Thread(target=self._repeat, args=(step,), daemon=True).start()

    def _repeat(self, step: Callable[[], None]) -> None:
        while True:
            try:
                step()
            except SourceDown as error:
                logger.debug("waiting: %s", error)
                time.sleep(RECONNECT_SECONDS)
            except Exception:  # a thread that has ended would leave an old list for ever
                logger.exception("the list could not be brought up to date")
                time.sleep(RETRY_SECONDS)

    def listen(self) -> None:
        """Wait for the bell; while that raises SourceDown the truth is asked more often."""
        try:
            if self.wait(WAIT_SECONDS):
                self._rung.set()
        except SourceDown:
            self._listening = False
            raise
        self._listening = True

    def look_after(self) -> None:
        """Ask the truth what has changed: at once when the bell has rung, and now and then."""
        if not self.ready.is_set():
            self.boot()
        self._rung.wait(CATCH_UP_SECONDS if self._listening else RETRY_SECONDS)
        self._rung.clear()
        try:
            self.catch_up()
        except SourceDown:
            self._rung.set()  # what it told of is not here yet
            raise

    def boot(self) -> None:
        """Start from the file if there is one, else from the truth."""
        started = time.monotonic()
        if last := self.disk.read():
            self._load(last)
        try:
            self.catch_up()
        except SourceDown:
            if last is None:
                raise
        self.boot_seconds = time.monotonic() - started
        self.ready.set()

    def catch_up(self) -> None:
        """Ask the truth for everything after the last change that was applied.

        If that change is not the truth's any more, the truth is another list: a backup was restored, say.
        """
        changes = self.changes(self.replica.seq, MOST_CHANGES)
        if len(changes) == MOST_CHANGES or not self.replica.is_continued_by(changes):
            self._load(self.everything())
        else:
            self.replica.apply(changes, self.disk.run)

    def _load(self, fresh: Replica) -> None:
        """Replace everything at once: readers see the old list or the new one."""
        fresh.run = self.replica.run  # for a moment, if a later change brings later feeds
        fresh.take_feeds(fresh.feeds, self.disk.run)
        self.replica = fresh
