"""Put requests to the application as if their clients had connected without a proxy; print the statuses.

A connection of this machine comes from a loopback address, which cannot be banned. So the peer's address
is put where the server puts it; everything behind that is what serves.
"""

import json
from argparse import ArgumentParser
from typing import Any

from bans import wiring
from django.core.management.base import BaseCommand, CommandError
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

READY_SECONDS = 10


class Command(BaseCommand):
    help = "Answer requests that come without a proxy, and print their statuses as a JSON list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path")
        parser.add_argument("requests", nargs="+", help='["peer", {"header": "value"}] as JSON')

    def handle(self, *_: Any, path: str, requests: list[str], **__: Any) -> None:
        wiring.follower().start()
        if not wiring.follower().ready.wait(READY_SECONDS):
            raise CommandError("this process has no list yet")
        application = get_wsgi_application()
        statuses: list[int] = []

        def start_response(status: str, *_: Any) -> Any:
            statuses.append(int(status.partition(" ")[0]))

        for text in requests:
            peer, headers = json.loads(text)
            environ = RequestFactory(headers=headers | {"host": "localhost"}).get(path).environ
            application(environ | {"REMOTE_ADDR": peer}, start_response).close()
        self.stdout.write(json.dumps(statuses))
