"""Send lost jobs again and record dead letters, until stopped."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from jobs import keeper
from jobs.broker import dead_letters, depths
from jobs.configured import policy
from jobs.topology import QUEUES
from jobs.transport import app
from jobs.watch import send_canaries

ALIVE = Path(tempfile.gettempdir()) / "keeper-alive"  # its age is the container's healthcheck


class Command(BaseCommand):
    help = "Send lost jobs again and record dead letters, until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        count = depths(app)
        duties = {
            "sweep": lambda: keeper.sweep(policy(), settings.UNSEEN_SECONDS, count()),
            "canaries": lambda: send_canaries([queue.name for queue in QUEUES]),
            "dead letters": dead_letters(app, keeper.dead_letter),
        }
        keeper.keep(duties, ALIVE.touch)
