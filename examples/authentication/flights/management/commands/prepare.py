"""Check the settings, make the first key, migrate, and load the bookings unless they are there."""

import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction
from sessions.keys import Keys, new

from flights import configured
from flights.loading import OWNER, load


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        file = configured.key_file()
        file.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.path.exists():
            file.write(Keys([new("signing", time.time())]))
        call_command("check", deploy=True, fail_level="WARNING", tags=["security", "services"])
        call_command("migrate", database=OWNER, verbosity=0)
        with transaction.atomic(using=OWNER):
            self.stdout.write(f"{load(settings.STAFF_TOKEN)} bookings loaded")
