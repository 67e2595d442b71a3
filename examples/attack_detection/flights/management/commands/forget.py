"""Forget what is over for long enough: what the keeper does once an hour."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from kept.forgetting import forget


class Command(BaseCommand):
    help = "Forget what is over for long enough."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", help="a date: forget what is to be forgotten then")

    def handle(self, *_: Any, as_of: str | None, **__: Any) -> None:
        try:
            now = datetime.fromisoformat(as_of).replace(tzinfo=UTC) if as_of else timezone.now()
        except ValueError as error:
            raise CommandError(f"--as-of: {error}") from None
        forget(now)
