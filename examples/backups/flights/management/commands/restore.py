"""Restore from what one way has kept, into an empty server; tell what queries find there, as JSON."""

from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path

from keep.place import ask
from restore.server import draft

from flights.configured import place as place_of
from flights.reporting import ReportingCommand
from flights.variants import BY_NAME


class Command(ReportingCommand):
    help = __doc__
    takes = ("to", "into", "sql")
    turn = nullcontext  # a restore waits for no night

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--to", default="", help="a moment: a time with its zone")
        parser.add_argument("--into", type=Path, help="an empty folder, to leave the data in")
        parser.add_argument("--sql", action="append", default=[], help="ask the restored server")

    def act(self, variant: str, *, to: str, into: Path | None, sql: list[str]) -> str:
        place = place_of(variant)
        folder = into.resolve() if into else place.folder / "restored"
        with draft(place, folder) as unfinished:
            with BY_NAME[variant].way.restored(place, unfinished, to) as server:
                self.found = [ask(server, query) for query in sql]
            if into:
                place.run("initdb", "--sync-only", "--pgdata", unfinished)
                place.run("mv", "-T", unfinished, folder)
        return "restored"
