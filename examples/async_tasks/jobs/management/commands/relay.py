"""Hand what is due to the broker, until stopped."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from jobs.broker import publisher
from jobs.outbox import relay
from jobs.transport import app

ALIVE = Path(tempfile.gettempdir()) / "relay-alive"  # its age is the container's healthcheck


class Command(BaseCommand):
    help = "Hand what is due to the broker, until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        relay(settings.DATABASE_URL, publisher(app), ALIVE.touch)
