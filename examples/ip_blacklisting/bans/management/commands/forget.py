"""Forget what is over for long enough: what the keeper does once an hour."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from shield import snapshot
from shield.follower import SourceDown

from bans import forgetting, wiring
from bans.truth import PostgresTruth


class Command(BaseCommand):
    help = "Forget what is over for long enough, and print what the files hold then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", help="a date: forget what is to be forgotten then")

    def handle(self, *_: Any, as_of: str | None, **__: Any) -> None:
        try:
            now = datetime.fromisoformat(as_of).replace(tzinfo=UTC) if as_of else timezone.now()
        except ValueError as error:
            raise CommandError(f"--as-of: {error}") from None
        try:
            forgetting.forget(now)
            with PostgresTruth(settings.DATABASE_URL) as truth:
                truth.everything().write(wiring.folder())
        except (DatabaseError, SourceDown) as error:
            raise CommandError(f"PostgreSQL does not answer: {error}") from None
        for path in sorted(wiring.folder().glob("*.json*")):
            self.stdout.write(f"{path.name}: {path.read_text()}")
        if last := snapshot.read(wiring.folder()):  # networks are numbers there
            for table in (last.exceptions, last.bans):
                self.stdout.write(" ".join(str(network) for network, _ in table))
