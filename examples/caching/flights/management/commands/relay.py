"""Carry out the purges of the outbox, until stopped."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from layers.outbox import relay

from flights import cached

ALIVE = Path(tempfile.gettempdir()) / "relay-alive"  # its age is the container's healthcheck


class Command(BaseCommand):
    help = "Carry out the purges of the outbox, until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        relay(settings.DATABASE_URL, cached.cache().purge, ALIVE.touch)
