"""Forget what is over for long enough: what the keeper does once an hour."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from kept.forgetting import forget


class Command(BaseCommand):
    help = "Forget what is over for long enough."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", type=datetime.fromisoformat, help="a date: forget as then")

    def handle(self, *_: Any, as_of: datetime | None, **__: Any) -> None:
        forget(as_of.replace(tzinfo=UTC) if as_of else timezone.now())
