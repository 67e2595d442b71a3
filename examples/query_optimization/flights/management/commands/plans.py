"""Show the plans behind a list as trees: the naive way's, then the solution's."""

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from plans.of_path import explained

from flights.lists import LISTS

LONGEST = 140  # characters shown of a statement


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
    plans = [f"{each.times} x {short(each.statement.sql)}\n{each.plan.tree()}" for each in found]
    return "\n\n".join([head, *plans])


def short(statement: str) -> str:
    """Return a statement without what is not read at a glance: columns, quotation marks, table prefixes."""
    text = re.sub(r"^SELECT .*? FROM ", "SELECT … FROM ", statement.replace("\n", " "))
    text = text.replace('"', "").replace("flights_flight.", "").replace("flights_", "")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
