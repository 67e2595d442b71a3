"""Check the settings, migrate the database, write the list to disk: what a release runs first."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from shield.sources import SourceDown

from bans import configured


class Command(BaseCommand):
    help = "Check, migrate and write the list to disk; does nothing twice."

    def handle(self, *_: Any, **__: Any) -> None:
        call_command("check", deploy=True, fail_level="ERROR", tags=["security", "bans"])
        follower = configured.follower()
        try:
            call_command("migrate", verbosity=0)
            follower.catch_up()
            follower.disk.write(follower.replica)
        except (DatabaseError, SourceDown) as error:
            raise CommandError(f"DATABASE_URL: PostgreSQL does not answer: {error}") from None
        except OSError as error:
            raise CommandError(f"STATE_FOLDER: the list cannot be written: {error}") from None
