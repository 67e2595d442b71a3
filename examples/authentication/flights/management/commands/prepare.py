"""Make the first key, check what has to be there, migrate, and load the bookings unless they are there.

What is wrong is one sentence.
"""

import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections, transaction
from sessions.access import CLOCKS_APART_SECONDS
from sessions.keys import Keys, new

from flights import configured
from flights.loading import OWNER, load

PUBLISHED = "development-only-"  # how the key in compose.yml begins


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        file = configured.key_file()
        file.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.path.exists():
            file.write(Keys([new("signing", time.time())]))
        try:
            file.keys()
        except ValueError as error:
            raise CommandError(str(error)) from None
        call_command("check", deploy=True, fail_level="WARNING", tags=["security"])
        if settings.SECRET_KEY.startswith(PUBLISHED):
            self.stderr.write("SECRET_KEY is the one that compose.yml publishes: bring your own.")
        if (apart := seconds_apart()) > CLOCKS_APART_SECONDS:
            said = f"The clocks here and of the database are {apart:.0f} s apart"
            raise CommandError(f"{said}; tokens need them within {CLOCKS_APART_SECONDS}.")
        call_command("migrate", database=OWNER, verbosity=0)
        with transaction.atomic(using=OWNER):
            self.stdout.write(f"{load(settings.STAFF_TOKEN)} bookings loaded")


def seconds_apart() -> float:
    """Return how far the clocks of this machine and of the database are apart."""
    owner = connections[OWNER]
    try:
        with owner.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            return abs(float(cursor.fetchone()[0]) - time.time())
    except OperationalError as error:
        where = f"{owner.settings_dict['HOST']}:{owner.settings_dict['PORT'] or 5432}"
        said = str(error).strip().splitlines()[-1].strip()
        raise CommandError(f"DATABASE_URL: no PostgreSQL answers at {where}: {said}") from None
