"""Put requests to the application in this process, one after the other, from any peer.

A connection of this machine comes from a loopback address, which is a trusted proxy. Here the peer's address
is put where the server puts it; everything behind that is what serves.
"""

import json
import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from bans import configured
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.test import Client

READY_SECONDS = 10
MOST_SECONDS = 30  # then a guard hangs, or a thread that it has started goes on


class Command(BaseCommand):
    help = (
        "Answer requests, and print of each the status and what its guard cost as JSON, one a line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path")
        parser.add_argument("--header", default=settings.CLIENT_HEADER, help="the proxies' own")
        parser.add_argument("requests", nargs="+", help='["peer", {"header": "value"}] as JSON')

    def handle(self, *_: Any, path: str, header: str, requests: list[str], **__: Any) -> None:
        # Whoever asks has then what is answered so far.
        signal.signal(signal.SIGALRM, lambda *_: (sys.stdout.flush(), os._exit(0)))
        signal.alarm(MOST_SECONDS)
        settings.CLIENT_HEADER = header
        configured.follower().start()
        if not configured.follower().ready.wait(READY_SECONDS):
            raise CommandError("this process has no list yet")
        client = Client(raise_request_exception=False)
        for peer, headers in map(json.loads, requests):
            answer = client.get(path, headers={**headers, "host": "localhost"}, REMOTE_ADDR=peer)
            cost = answer.headers.get("Server-Timing", "")
            self.stdout.write(json.dumps([answer.status_code, cost]))
