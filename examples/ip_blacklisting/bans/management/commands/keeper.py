"""Write the list to disk whenever it has changed, for all processes of this machine; until stopped.

Two of them do no harm: the file is replaced in one step.
"""

import logging
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from shield.sources import SourceDown

from bans import configured

ALIVE = Path(tempfile.gettempdir()) / "keeper-alive"  # its age is the container's healthcheck
PAUSE_SECONDS = 1.0
REST = 3  # times as long as the last one took: a long list is written less often

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Write the list to disk whenever it has changed; until stopped."
    requires_system_checks = ()  # `prepare` has run them; they would read what serves alone
    written = ""  # the mark of the list on disk

    def handle(self, *_: Any, **__: Any) -> None:
        # The first process of a container ends by no signal that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with suppress(KeyboardInterrupt):
            while True:
                took = self.step()
                ALIVE.touch()
                time.sleep(max(PAUSE_SECONDS, REST * took))

    def step(self) -> float:
        """Write the list if it has changed; return how long that took."""
        follower = configured.follower()
        try:
            follower.catch_up()
        except SourceDown as error:
            logger.warning("waiting: %s", error)
        begun, last = time.monotonic(), follower.replica
        if last.mark != self.written:
            follower.disk.write(last)
            self.written = last.mark
        return time.monotonic() - begun
