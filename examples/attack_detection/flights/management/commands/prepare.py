"""Check the settings and migrate the database: what a release runs first."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError


class Command(BaseCommand):
    help = "Check and migrate; does nothing twice."

    def handle(self, *_: Any, **__: Any) -> None:
        call_command("check", deploy=True, tags=["security"])
        try:
            call_command("migrate", verbosity=0)
        except DatabaseError as error:
            raise CommandError(f"DATABASE_URL: PostgreSQL does not answer: {error}") from None
