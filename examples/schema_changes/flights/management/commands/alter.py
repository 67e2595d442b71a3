"""Change a table that is in use, in one of the ways: an index, a constraint, a column or its rows."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from flights.variants import BY_NAME


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("way", choices=BY_NAME)
        parser.add_argument("what", choices=("index", "constraint", "column", "backfill"))
        parser.add_argument("--table", default="busy")

    def handle(self, *_args: Any, **options: Any) -> None:
        change, table = BY_NAME[options["way"]].changes.get(options["what"]), options["table"]
        if change is None or not table.isidentifier():
            raise CommandError(f"{options['way']} does not change {options['what']} of {table!r}")
        done = change(connection, table)
        self.stdout.write(str(done or "done"))
