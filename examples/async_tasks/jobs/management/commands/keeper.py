"""Send lost jobs again and record dead letters, until stopped."""

import tempfile
from pathlib import Path
from typing import Any

from config.celery import app
from django.conf import settings
from django.core.management.base import BaseCommand

from jobs import keeper
from jobs.batch import gather
from jobs.broker import dead_letters, depths
from jobs.configured import policy
from jobs.topology import QUEUES
from jobs.watch import send_canaries

ALIVE = Path(tempfile.gettempdir()) / "keeper-alive"  # its age is the container's healthcheck


class Command(BaseCommand):
    help = "Send lost jobs again and record dead letters, until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        count = depths(app)
        duties = {
            "sweep": lambda: keeper.sweep(policy(), settings.UNSEEN_SECONDS, count()),
            "batches": gather,
            "canaries": lambda: send_canaries([queue.name for queue in QUEUES]),
            "old jobs": lambda: keeper.prune(settings.KEEP_DAYS),
            "dead letters": dead_letters(app, keeper.dead_letter),
        }
        keeper.keep(duties, ALIVE.touch)
