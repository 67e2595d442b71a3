"""Send changes that nobody has sent, write the list to disk; until stopped."""

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
        keeper = Keeper()
        with suppress(KeyboardInterrupt):
            while True:
                keeper.step()
                ALIVE.touch()
