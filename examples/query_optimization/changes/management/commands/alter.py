"""Change a table that is in use: an index, a constraint or a column, at once or patiently."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from changes.patience import patiently

INDEX = "{table}_by_number ON {table} (number, scheduled_departure)"
CHECK = "ALTER TABLE {table} ADD CONSTRAINT {table}_flies CHECK (distance_miles > 0)"
COLUMN = "ALTER TABLE {table} ADD COLUMN gate text"
STATEMENTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "in_place": {
        "index": (f"CREATE INDEX {INDEX}",),
        "constraint": (CHECK,),
        "column": (COLUMN,),
    },
    "expand_contract": {
        "index": (f"CREATE INDEX CONCURRENTLY {INDEX}",),
        "constraint": (
            f"{CHECK} NOT VALID",
            "ALTER TABLE {table} VALIDATE CONSTRAINT {table}_flies",
        ),
        "column": (COLUMN,),
    },
}


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("way", choices=STATEMENTS)
        parser.add_argument("what", choices=STATEMENTS["in_place"])
        parser.add_argument("--table", default="busy")

    def handle(self, *_args: Any, **options: Any) -> None:
        way, what, table = options["way"], options["what"], options["table"]
        if not table.isidentifier():
            raise CommandError(f"{table!r} is no name of a table")
        for statement in STATEMENTS[way][what]:
            # What a concurrent build waits for blocks nobody, and a timeout would leave its index invalid.
            if way == "expand_contract" and what != "index":
                attempt = patiently(connection, statement.format(table=table))
                self.stdout.write(f"attempt {attempt}")
            else:
                with connection.cursor() as cursor:
                    cursor.execute(statement.format(table=table))
