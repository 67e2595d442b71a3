"""Change a table that is in use: an index or a column, at once or patiently."""

from argparse import ArgumentParser
from typing import Any

from changes.patience import patiently
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

STATEMENTS = {
    (
        "in_place",
        "index",
    ): "CREATE INDEX {table}_by_number ON {table} (number, scheduled_departure)",
    ("expand_contract", "index"): (
        "CREATE INDEX CONCURRENTLY {table}_by_number ON {table} (number, scheduled_departure)"
    ),
    ("in_place", "column"): "ALTER TABLE {table} ADD COLUMN gate text",
    ("expand_contract", "column"): "ALTER TABLE {table} ADD COLUMN gate text",
}


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("way", choices=("in_place", "expand_contract"))
        parser.add_argument("what", choices=("index", "column"))
        parser.add_argument("--table", default="busy")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["table"].isidentifier():
            raise CommandError(f"{options['table']!r} is no name of a table")
        statement = STATEMENTS[options["way"], options["what"]].format(table=options["table"])
        # What a concurrent build waits for blocks nobody, and a timeout would leave its index invalid.
        if options["way"] == "expand_contract" and options["what"] == "column":
            self.stdout.write(f"attempt {patiently(connection, statement)}")
        else:
            with connection.cursor() as cursor:
                cursor.execute(statement)
