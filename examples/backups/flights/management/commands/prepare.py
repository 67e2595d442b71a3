"""Check settings and database, migrate, and open the accounts."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from flights.ledger import open_accounts


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        tags = ["security", "services"]
        call_command("check", deploy=True, fail_level="WARNING", tags=tags)
        call_command("migrate", verbosity=0)
        self.stdout.write(f"{open_accounts():,} accounts are open")
