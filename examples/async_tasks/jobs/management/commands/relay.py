"""Hand what is due to the broker, until stopped."""

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from psycopg.conninfo import make_conninfo

from jobs.broker import Publisher
from jobs.outbox import Relay
from jobs.topology import GROUPS
from jobs.transport import app

# Its age is the container's healthcheck. Of each user, or the second one on a machine could not touch it.
ALIVE = Path(tempfile.gettempdir()) / f"relay-alive-{os.getuid()}"


class Command(BaseCommand):
    help = "Hand what is due to the broker, until stopped."
    requires_system_checks = ()  # `prepare` has run them; they would read what serves alone

    def handle(self, *_: Any, **__: Any) -> None:
        # The first process of a container ends by no signal that it does not handle.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        given = connection.get_connection_params().items()
        address = {name: str(value) for name, value in given if isinstance(value, str | int)}
        Relay(GROUPS, Publisher(app)).run(make_conninfo(**address), ALIVE.touch)
