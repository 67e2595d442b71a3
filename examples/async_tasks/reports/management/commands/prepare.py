"""Check the settings, migrate the database: what a release runs before all else."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError


class Command(BaseCommand):
    help = "Check and migrate; does nothing twice."

    def handle(self, *_: Any, **__: Any) -> None:
        call_command("check", deploy=True, fail_level="WARNING", tags=["security"])
        try:
            call_command("migrate", verbosity=0)
        except OperationalError as error:
            raise CommandError(f"PostgreSQL does not answer: {error}") from error
