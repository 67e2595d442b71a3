"""What an operator asks the cache: why is this page what it is; purge a tag."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from layers.explain import explain
from layers.tags import Tags
from redis.exceptions import RedisError

from flights import cached
from flights.models import Outbox


class Command(BaseCommand):
    help = "Say why an entry is served or not; purge tags."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        why = actions.add_parser("why", help="print age, expiry, tags and lease of an entry")
        why.add_argument("key", help="such as airport:KJFK or alternates:KJFK")
        purge = actions.add_parser("purge", help="void whatever carries one of the tags")
        purge.add_argument("tags", nargs="+", help="such as airport:KJFK, country:US, or * for all")

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        try:
            if action == "why":
                for line in explain(cached.redis(), options["key"]):
                    self.stdout.write(line)
            else:
                time = Tags(cached.redis()).purge(options["tags"])
                self.stdout.write(f"purged at logical time {time}")
                if settings.CDN_PURGE_URL:
                    due = [Outbox(tag=tag, place="edge") for tag in options["tags"]]
                    Outbox.objects.bulk_create(due)
                    self.stdout.write("the relay purges the CDN")
        except RedisError as error:
            raise CommandError(f"Redis does not answer: {error}") from error
