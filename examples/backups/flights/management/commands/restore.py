"""Restore from what one way has kept, into an empty server; tell what queries find there, as JSON."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from keep.place import Failed, Place, Rows, ask
from restore.server import draft

from flights.configured import place
from flights.variants import BY_NAME


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("variant", choices=BY_NAME)
        parser.add_argument("--to", default="", help="a moment: a time with its zone")
        parser.add_argument("--into", type=Path, help="an empty folder, to leave the data in")
        parser.add_argument("--sql", action="append", default=[], help="ask the restored server")
        parser.add_argument("--report", action="store_true", help="end with 0 whatever is reported")

    def handle(self, *_args: Any, **options: Any) -> None:
        says, found = "restored", []
        try:
            found = restored(place(options["variant"]), **options)
        except (Failed, psycopg.Error) as fault:
            says = str(fault).splitlines()[0]
        good = says == "restored"
        self.stdout.write(json.dumps({"good": good, "says": says, "found": found}, default=str))
        if not good and not options["report"]:
            sys.exit(1)


def restored(
    place: Place, *, variant: str, to: str, into: Path | None, sql: list[str], **_: Any
) -> list[Rows]:
    """Return the rows of each query; leave the data in `into`, if that is asked for."""
    folder = into.resolve() if into else place.folder / "restored"
    with draft(place, folder) as unfinished:
        with BY_NAME[variant].way.restored(place, unfinished, to) as server:
            found = [ask(server, query) for query in sql]
        if into:
            place.run("initdb", "--sync-only", "--pgdata", unfinished)
            place.run("mv", "-T", unfinished, folder)
    return found
