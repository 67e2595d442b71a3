"""Check settings and database, migrate, and open the accounts."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from keep.place import ask

from flights.ledger import open_accounts
from flights.reporting import tried


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        call_command("check", deploy=True, fail_level="WARNING", tags=["security"])
        answered = tried(ask, settings.SERVER, "SELECT 1")
        if not answered.good:
            raise CommandError(f"DATABASE_URL: no PostgreSQL answers: {answered.says}")
        call_command("migrate", verbosity=0)
        self.stdout.write(f"{open_accounts():,} accounts are open")
