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
from shield.follower import SourceDown

from bans import configured

ALIVE = Path(tempfile.gettempdir()) / "keeper-alive"  # its age is the container's healthcheck
PAUSE_SECONDS = 1.0

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
                self.step()
                ALIVE.touch()
                time.sleep(PAUSE_SECONDS)

    def step(self) -> None:
        """Write the list if it has changed."""
        follower = configured.follower()
        try:
            follower.catch_up()
        except SourceDown as error:
            logger.warning("waiting: %s", error)
        if follower.replica.mark != self.written:
            follower.disk.write(follower.replica)
            self.written = follower.replica.mark
