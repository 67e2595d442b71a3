"""Put one way of keeping in force; what it has kept until now is moved aside."""

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from keep.place import Failed

from flights.keeping import alone, begin
from flights.variants import BY_NAME


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("variant", choices=BY_NAME)
        parser.add_argument("--forget", action="store_true", help="remove what it has kept")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with alone():
                begin(options["variant"], forget=options["forget"])
        except (Failed, psycopg.Error) as fault:
            raise CommandError(str(fault).splitlines()[0]) from None
