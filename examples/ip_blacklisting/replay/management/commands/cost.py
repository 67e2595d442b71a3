"""Answer requests one at a time, and print what the guard takes of the processor: the code's own price.

In a server this is more, for its threads and the other processes use the same caches.
"""

import re
from argparse import ArgumentParser
from statistics import median
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from shield.addresses import Address

from replay.inside import asker

STRANGERS = 0xC6120000  # 198.18.0.0/15, for benchmarks: RFC 2544
REQUESTS = 250


class Command(BaseCommand):
    help = f"Print the median microseconds in the guard of each batch of {REQUESTS} requests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path")
        parser.add_argument("--batches", type=int, default=8)

    def handle(self, *_: Any, path: str, batches: int, **__: Any) -> None:
        ask = asker()
        for batch in range(batches):
            spent = []
            for number in range(REQUESTS):
                client = Address(4, STRANGERS + batch * REQUESTS + number * 13)
                status, headers = ask(path, "127.0.0.1", {"X-Forwarded-For": str(client)})
                if status != 200:
                    raise CommandError(f"status {status} for {client}")
                found = re.search(r"cpu;dur=([0-9.]+)", headers["Server-Timing"])
                spent.append(float(found[1]) if found else 0)
            self.stdout.write(f"{median(spent) * 1000:.2f}")
