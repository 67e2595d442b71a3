"""Carry out the purges of the outbox, until stopped."""

import signal
import sys
import tempfile
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from layers.outbox import Purge, Then, relay
from layers.redis_layer import RedisLayer, bypassed

from flights import configured
from flights.edge import Edge, forward

ALIVE = Path(tempfile.gettempdir()) / "relay-alive"  # and the place: their age is the healthcheck


class Command(BaseCommand):
    help = "Carry out the purges of the outbox, until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        # As the first process of a container it gets no default: it would have to be killed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        failures: SimpleQueue[Exception] = SimpleQueue()

        def carry_on(place: str, purge: Purge, then: Then | None) -> None:
            try:
                alive = Path(f"{ALIVE}-{place}").touch
                relay(settings.DATABASE_URL, place, purge, then, alive)
            except Exception as error:  # a place without its relay is no relay: raised below
                failures.put(error)

        def start(place: str, purge: Purge, then: Then | None = None) -> None:
            Thread(target=carry_on, args=[place, purge, then], daemon=True).start()

        shared = RedisLayer(configured.redis())

        def purge(tags: list[str]) -> bool:
            """Ask Redis itself: nobody reads here, and a cache asks only while it hears of purges."""
            if heard := shared.purge(tags):
                bypassed.cache_clear()
            return heard

        cdn = settings.CDN_PURGE_URL
        start("cache", purge, forward if cdn else None)
        if cdn:
            start("edge", Edge(cdn).purge)
        raise failures.get()
