"""Keeps a replica up to date: the stream tells at once, the truth tells what the stream has lost.

A stream is read from where the reader is, so what was sent during a cut is still there afterwards.
Pub/Sub sends at most once. https://redis.io/docs/latest/develop/use-cases/pub-sub/
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .replica import Change, Gap, Replica, continues
from .snapshot import Disk

WAIT_SECONDS = 1.0  # for the stream, while it is quiet
RETRY_SECONDS = 0.3  # between two questions to the truth, while there is no stream
RECONNECT_SECONDS = 0.05  # between two attempts to reach who does not answer
CATCH_UP_SECONDS = 3.0  # between two questions to the truth, while there is one
MOST_CHANGES = 5_000  # of more, reading everything again is the shorter way

logger = logging.getLogger(__name__)


class SourceDown(Exception):
    """The stream or the truth did not answer; the list stays as it is."""


@dataclass
class Follower:
    """Two threads of a process: one listens to the stream, one looks after it with the truth.

    They are two because a stream that is gone may not say so: a name that is not resolved any more takes
    many seconds to fail.

    The first three ask the truth and the stream, and may raise SourceDown.

    Attributes:
        changes: returns the change of this number, if there is one, and those after it: in order, and so
            many at most.
        everything: returns all that the truth has but the networks of feeds.
        wait: returns what the stream brings after this number within so many seconds, or nothing.
        ready: set once there is a list to decide by.
        boot_seconds: how long that took.
    """

    changes: Callable[[int, int], Sequence[Change]]
    everything: Callable[[], Replica]
    wait: Callable[[int, float], Sequence[Change]]
    disk: Disk
    replica: Replica = field(default_factory=Replica)
    ready: threading.Event = field(default_factory=threading.Event)
    boot_seconds: float = 0.0
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _behind: threading.Event = field(default_factory=threading.Event)
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
        """Apply what the stream brings; while it raises SourceDown the truth is asked more often."""
        self.ready.wait()
        try:
            changes = self.wait(self.replica.seq, WAIT_SECONDS)
        except SourceDown:
            self._listening = False
            raise
        self._listening = True
        try:
            with self._writing:
                self.replica.apply(changes, self.disk.run)
        except Gap:
            self._behind.set()

    def look_after(self) -> None:
        """Ask the truth what the stream has lost: now and then, at once after a gap."""
        if not self.ready.is_set():
            self.boot()
        self._behind.wait(CATCH_UP_SECONDS if self._listening else RETRY_SECONDS)
        self._behind.clear()
        self.catch_up()

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
        with self._writing:
            seq, mark = self.replica.seq, self.replica.mark
        changes = self.changes(seq, MOST_CHANGES)
        if len(changes) == MOST_CHANGES or not continues(changes, seq, mark):
            self._load(self.everything())
            return
        with self._writing:
            self.replica.apply(changes, self.disk.run)

    def _load(self, fresh: Replica) -> None:
        """Replace everything at once: readers see the old list or the new one."""
        with self._writing:
            fresh.run = self.replica.run  # for a moment, if a later change brings later feeds
            fresh.take_feeds(fresh.feeds, self.disk.run)
            self.replica = fresh
