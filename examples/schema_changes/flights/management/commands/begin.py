"""Bring the table of one way back to its first migration, with the delays of three months in it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from flights.delays import BEGUN, begin


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app", choices=BEGUN)

    def handle(self, *_args: Any, **options: Any) -> None:
        begin(connection, options["app"])
