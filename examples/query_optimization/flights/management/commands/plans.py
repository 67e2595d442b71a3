"""Show the plans behind a list as trees: the naive way's, then the solution's."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from plans.of_path import explained

from flights.lists import LISTS


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("list", choices=[each.name for each in LISTS])

    def handle(self, *_args: Any, **options: Any) -> None:
        (asked,) = (each for each in LISTS if each.name == options["list"])
        parts = [
            shown(f"/api/{variant}/{asked.name}/?{asked.example}".rstrip("?"))
            for variant in ("naive", "optimized")
        ]
        self.stdout.write("\n\n".join(parts))


def shown(path: str) -> str:
    """Return the lines for one path."""
    found = explained(path)
    queries = sum(each.times for each in found)
    head = f"{path}: {queries} {'query' if queries == 1 else 'queries'}"
    return "\n\n".join([head, *(each.tree() for each in found)])
