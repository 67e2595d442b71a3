"""Show the statements that took the most time since the statistics began (pg_stat_statements)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import plans
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

SQL = Path(plans.__file__).with_name("top.sql")
WIDTH = 100  # characters shown of a statement


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--most", type=int, default=10, metavar="STATEMENTS")
        parser.add_argument("--reset", action="store_true", help="begin to count anew")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
                if options["reset"]:
                    cursor.execute("SELECT pg_stat_statements_reset()")
                    return
                cursor.execute(SQL.read_text("utf-8"), [options["most"]])
                found = cursor.fetchall()
        except DatabaseError as error:
            raise CommandError(
                "Statements are counted where PostgreSQL has pg_stat_statements and began with"
                f" shared_preload_libraries=pg_stat_statements: {str(error).splitlines()[0]}"
            ) from error
        self.stdout.write(f"{'calls':>8} {'ms':>10} {'ms each':>9} {'buffers each':>13}  statement")
        for calls, total, mean, buffers, text in found:
            row = f"{calls:>8,} {total:>10,.0f} {mean:>9,.1f} {buffers:>13,}"
            self.stdout.write(f"{row}  {text[:WIDTH]}")
