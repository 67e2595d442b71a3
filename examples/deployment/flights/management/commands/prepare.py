"""Check the settings, then migrate."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        call_command("check", deploy=True, fail_level="WARNING", tags=["security"])
        try:
            call_command("migrate", verbosity=0)
        except OperationalError as error:
            raise CommandError(f"DATABASE_URL: {str(error).splitlines()[0]}") from None
        self.stdout.write("ready")
