"""Send lost jobs again, until stopped."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from jobs import keeper
from jobs.configured import policy
from jobs.defaults import number
from jobs.observed import Depths
from jobs.topology import QUEUES
from jobs.transport import app
from jobs.watch import send_canaries

# Its age is the container's healthcheck. Of each user, or the second one on a machine could not touch it.
ALIVE = Path(tempfile.gettempdir()) / f"keeper-alive-{os.getuid()}"


class Command(BaseCommand):
    help = "Send lost jobs again, until stopped."
    requires_system_checks = ()  # `prepare` has run them; they would read what serves alone

    def handle(self, *_: Any, **__: Any) -> None:
        # The first process of a container ends by no signal that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        count, unseen = Depths(app), number("UNSEEN_SECONDS")
        duties: dict[str, Callable[[], object]] = {
            "sweep": lambda: keeper.sweep(policy(), unseen, count()),
            "canaries": lambda: send_canaries(QUEUES),
        }
        keeper.keep(duties, ALIVE.touch)
