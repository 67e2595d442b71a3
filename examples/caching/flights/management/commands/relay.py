"""Carry out the purges of the outbox, until stopped."""

import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from layers.outbox import Purge, Then, relay
from layers.redis_layer import RedisLayer

from flights import configured
from flights.edge import Edge, forward

ALIVE = Path(tempfile.gettempdir()) / "relay-alive"  # and the place: their age is the healthcheck


class Command(BaseCommand):
    help = "Carry out the purges of the outbox, until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        # As the first process of a container it gets no default: it would have to be killed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        cdn = settings.CDN_PURGE_URL
        if cdn:
            Thread(target=carry_on, args=["edge", Edge(cdn).purge], daemon=True).start()
        # Redis itself is asked: nobody reads here, and a cache asks only while it hears of purges.
        carry_on("cache", RedisLayer(configured.redis).purge, forward if cdn else None)


def carry_on(place: str, purge: Purge, then: Then | None = None) -> None:
    """Relay for ever; a defect ends the process, and not one thread of it, so that it is started again."""
    try:
        relay(settings.DATABASE_URL, place, purge, then, Path(f"{ALIVE}-{place}").touch)
    except Exception:
        logging.getLogger(__name__).exception("no purges of %s are carried out", place)
        os._exit(1)
