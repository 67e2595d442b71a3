"""Check settings and database, migrate, and load the flights unless they are there."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from flights.loading import load


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="forget every change of a flight")

    def handle(self, *_args: Any, **options: Any) -> None:
        tags = ["security", "services"]
        call_command("check", deploy=True, fail_level="WARNING", tags=tags)
        call_command("migrate", verbosity=0)
        with transaction.atomic(), connection.cursor() as cursor:
            if options["again"]:
                cursor.execute("TRUNCATE flights_flight, flights_booking RESTART IDENTITY")
            self.stdout.write(f"{load(cursor):,} flights are there")
