"""Show the plans behind a list: the naive way's, then the solution's."""

import re
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
        for variant in ("naive", "optimized"):
            path = f"/api/{variant}/{asked.name}/?{asked.example}".rstrip("?")
            self.stdout.write(f"{path}\n")
            for each in explained(path):
                short = re.sub(r"^SELECT .*? FROM ", "SELECT … FROM ", each.statement.sql)
                self.stdout.write("\n".join([f"{each.times} x {short}", *each.lines(), ""]))
