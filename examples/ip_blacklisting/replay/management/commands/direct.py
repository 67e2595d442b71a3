"""Put requests to the application as if their clients had connected without a proxy; print the statuses."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from replay.inside import asker


class Command(BaseCommand):
    help = "Answer requests that come without a proxy, and print their statuses as a JSON list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path")
        parser.add_argument("requests", nargs="+", help='["peer", {"header": "value"}] as JSON')

    def handle(self, *_: Any, path: str, requests: list[str], **__: Any) -> None:
        ask = asker()
        given = map(json.loads, requests)
        self.stdout.write(json.dumps([ask(path, peer, headers)[0] for peer, headers in given]))
