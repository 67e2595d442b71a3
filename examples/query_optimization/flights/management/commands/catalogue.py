"""Show each index with what it costs and the request that needs it."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction
from plans.catalogue import CATALOGUE
from plans.cost import cost


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{'index':<21} {'kB':>7} {'µs a row':>9}  needed by")
        for name in dict.fromkeys(entry.expected.index for entry in CATALOGUE):
            with transaction.atomic(), connection.cursor() as cursor:
                found = cost(cursor, name)
            paths = [
                each.path.split("/", 3)[3] for each in CATALOGUE if each.expected.index == name
            ]
            row = f"{name:<21} {found.size_bytes / 1_000:>7,.0f} {found.writing_us:>9.1f}"
            self.stdout.write(f"{row}  {paths[0]}")
            for path in paths[1:]:
                self.stdout.write(f"{'':<40} {path}")
