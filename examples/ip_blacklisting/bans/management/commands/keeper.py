"""Send changes that nobody has sent, write the list to disk; until stopped."""

import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from bans.keeper import Keeper

ALIVE = Path(tempfile.gettempdir()) / "keeper-alive"  # its age is the container's healthcheck


class Command(BaseCommand):
    help = "Send changes that nobody has sent, write the list to disk; until stopped."
    requires_system_checks = ()  # `prepare` has run them; they would read what serves alone

    def handle(self, *_: Any, **__: Any) -> None:
        # The first process of a container ends by no signal that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        keeper = Keeper()
        with suppress(KeyboardInterrupt):
            while True:
                keeper.step()
                ALIVE.touch()
