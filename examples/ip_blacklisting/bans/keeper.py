"""What one process of a machine does for all: sends what nobody sent, and writes the list to disk.

Two of them do no harm: what is on the stream is not added again, and the file is replaced in one step.
"""

import logging
import time

from django.db import DatabaseError, close_old_connections
from shield.sources import SourceDown

from . import configured, publisher
from .truth import PostgresTruth

WAIT_SECONDS = 0.1
SNAPSHOT_SECONDS = 1.0  # between two snapshots, at least
REST = 3  # times as long as the last one took: a long list is written less often

logger = logging.getLogger(__name__)


class Keeper:
    """One pass of `step` looks after everything that is due."""

    def __init__(self) -> None:
        self.truth = PostgresTruth(configured.database())
        self.copy = configured.copy_of(self.truth)
        self.written = ""
        self.due = 0.0

    def step(self) -> None:
        """Do what is due; a service that does not answer is asked again the next time."""
        close_old_connections()
        try:
            publisher.publish()
            if time.monotonic() >= self.due:
                self.snapshot()
        except (SourceDown, DatabaseError) as error:
            logger.warning("waiting: %s", error)
        time.sleep(WAIT_SECONDS)

    def snapshot(self) -> None:
        """Write the list to disk if it has changed; from a copy, for a million rows are not read twice."""
        self.copy.catch_up()
        last = self.copy.replica.snapshot()
        if last.mark == self.written:
            return
        began = time.monotonic()
        last.write(configured.folder())
        configured.files().sweep(last.feeds["digest"])
        self.written, ended = last.mark, time.monotonic()
        self.due = ended + max(SNAPSHOT_SECONDS, REST * (ended - began))
