"""Check settings and database, migrate, and open the accounts."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from flights.ledger import open_accounts


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        call_command("check", deploy=True, fail_level="WARNING", tags=["security"])
        try:
            call_command("migrate", verbosity=0)
        except OperationalError as error:
            said = str(error).strip().splitlines()[-1].strip()
            raise CommandError(f"DATABASE_URL: no PostgreSQL answers: {said}") from None
        self.stdout.write(f"{open_accounts():,} accounts are open")
