"""Check the settings, migrate the database, write the list to disk: what a release runs first."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from shield.follower import SourceDown

from bans import configured

MADE: dict[str, Callable[[], object]] = {
    "TRUSTED_PROXIES": configured.proxies,
    "CLIENT_HEADER": configured.header,
    "REDIS_URL": configured.redis,
}
PUBLISHED = "development-only-"  # with which the key in compose.yml begins


class Command(BaseCommand):
    help = "Check, migrate and write the list to disk; does nothing twice."

    def handle(self, *_: Any, **__: Any) -> None:
        call_command("check", deploy=True, fail_level="ERROR", tags=["security"])
        if settings.SECRET_KEY.startswith(PUBLISHED):
            self.stderr.write("SECRET_KEY is the one that compose.yml publishes: bring your own.")
        for name, made in MADE.items():
            try:
                made()
            except ValueError as error:
                raise CommandError(f"{name}: {error}") from None
        follower = configured.follower()
        try:
            call_command("migrate", verbosity=0)
            follower.catch_up()
            follower.disk.write(follower.replica)
        except (DatabaseError, SourceDown) as error:
            raise CommandError(f"DATABASE_URL: PostgreSQL does not answer: {error}") from None
        except OSError as error:
            raise CommandError(f"STATE_FOLDER: the list cannot be written: {error}") from None
