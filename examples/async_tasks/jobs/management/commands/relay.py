"""Hand what is due to the broker, until stopped."""

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

ALIVE = Path(tempfile.gettempdir()) / "relay-alive"  # its age is the container's healthcheck


class Command(BaseCommand):
    help = "Hand what is due to the broker, until stopped."

    def handle(self, *_: Any, **__: Any) -> None:
        given = connection.get_connection_params().items()
        address = {name: str(value) for name, value in given if isinstance(value, str | int)}
        Relay(GROUPS, Publisher(app)).run(make_conninfo(**address), ALIVE.touch)
