"""Carry out the purges of the outbox, until stopped."""

import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from layers.edge import AGAIN_SECONDS, Edge
from layers.outbox import Place, relay

from flights import configured

ALIVE = Path(tempfile.gettempdir()) / "relay-alive"  # and the place: their age is the healthcheck


class Command(BaseCommand):
    help = "Carry out the purges of the outbox, until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        # As the first process of a container it gets no default: it would have to be killed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        failures: SimpleQueue[Exception] = SimpleQueue()

        def carry_on(place: Place) -> None:
            try:
                relay(settings.DATABASE_URL, place, Path(f"{ALIVE}-{place.name}").touch)
            except Exception as error:  # a place without its relay is no relay: raised below
                failures.put(error)

        for place in places():
            Thread(target=carry_on, args=[place], daemon=True).start()
        raise failures.get()


def places() -> tuple[Place, ...]:
    """Return where purges are due: Redis first, or the CDN would fetch the old page from it again."""
    redis = Place("cache", configured.cache().purge)
    if not settings.CDN_PURGE_URL:
        return (redis,)
    edge = Place("edge", Edge(settings.CDN_PURGE_URL).purge)
    return (replace(redis, next=edge.name, next_seconds=AGAIN_SECONDS), edge)
