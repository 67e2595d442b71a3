"""Keep, judge and forget what all processes have seen; until stopped."""

import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from kept.keeper import Keeper
from kept.redis import connect

from flights.variants import VARIANTS

ALIVE = Path(tempfile.gettempdir()) / "keeper-alive"  # its age is the container's healthcheck


class Command(BaseCommand):
    help = "Keep, judge and forget what all processes have seen; until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        # The first process of a container ends by no signal that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        pipelines = {name: variant.pipeline() for name, variant in VARIANTS.items()}
        keeper = Keeper(connect(settings.REDIS_URL, timeout_seconds=1), pipelines)
        with suppress(KeyboardInterrupt):
            while True:
                keeper.step()
                ALIVE.touch()
