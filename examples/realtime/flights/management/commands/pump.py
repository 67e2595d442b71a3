"""Move what was committed from the outbox to the stream, until it is told to stop."""

import signal
import sys
import time
from typing import Any

import psycopg
from boards.hub import HELD
from boards.pump import pump_for_ever
from django.core.management.base import BaseCommand
from redis.exceptions import RedisError

from flights.configured import STREAM, connect, redis

PAUSE_SECONDS = 0.2


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_: Any, **__: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        while True:
            try:
                pump_for_ever(connect, redis, STREAM, HELD)
            except (psycopg.OperationalError, RedisError) as error:
                self.stderr.write(f"the outbox waits: {error}".splitlines()[0])
                time.sleep(PAUSE_SECONDS)
