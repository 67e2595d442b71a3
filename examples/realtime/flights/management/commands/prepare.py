"""The release: check the services, migrate, and load the boards."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from flights.loading import load


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_: Any, **__: Any) -> None:
        call_command("check", databases=["default"])
        call_command("migrate", verbosity=0)
        self.stdout.write(f"{load()} flights")
