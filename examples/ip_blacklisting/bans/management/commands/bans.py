"""What an operator does by hand: ban, lift, list, say why, import a feed, export the list."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from shield.addresses import Network, meant, parse_address, parse_network
from shield.follower import SourceDown
from shield.snapshot import RunFiles

from bans import exports, ledger, wiring
from bans.ledger import Actor
from bans.models import Ban, Feed
from bans.truth import PostgresTruth

OPERATOR = Actor("operator")
LONGEST_HOURS = 100 * 365 * 24
LONGEST_REASON = 200


class Command(BaseCommand):
    help = "Ban, lift, list, say why, import a feed, export."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="ban a network")
        add.add_argument("network")
        add.add_argument("--reason", default="operator", type=reason)
        add.add_argument("--hours", type=hours, help="for how long; without it, until it is lifted")
        add.add_argument("--allow", action="store_true", help="an exception instead of a ban")
        add.add_argument("--shadow", action="store_true", help="report, but do not refuse")
        add.add_argument("--login", action="store_true", help="refuse logins only")
        actions.add_parser("remove", help="lift a ban").add_argument("network")
        actions.add_parser("list", help="print active bans")
        actions.add_parser("why", help="say what refuses an address").add_argument(
            "address", help="an address, or the reference of a refused client"
        )
        bring = actions.add_parser("import", help="replace a feed by a file")
        bring.add_argument("name")
        bring.add_argument("file", type=Path)
        export = actions.add_parser("export", help="print the list for another program")
        export.add_argument("format", choices=exports.FORMATS)

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        try:
            for line in getattr(self, f"_{action}")(**options):
                self.stdout.write(line)
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from None
        except (DatabaseError, SourceDown) as error:
            raise CommandError(f"PostgreSQL does not answer: {error}") from None

    def _add(self, network: str, **options: Any) -> Iterator[str]:
        hours = options["hours"]
        ban, new = ledger.add(
            meant(network),
            OPERATOR,
            kind=Ban.Kind.ALLOW if options["allow"] else Ban.Kind.DENY,
            scope=Ban.Scope.LOGIN if options["login"] else Ban.Scope.FULL,
            shadow=options["shadow"],
            reason=options["reason"],
            source="operator",
            expires=timezone.now() + timedelta(hours=hours) if hours else None,
        )
        yield f"{ban}: {'added' if new else 'was there already'}, {described(ban)}"

    def _remove(self, network: str, **_: Any) -> Iterator[str]:
        found = meant(network)
        lifted = sum(ledger.lift_network(found, OPERATOR, kind) for kind in Ban.Kind.values)
        yield f"{found}: {'lifted' if lifted else 'nothing to lift'}"

    def _list(self, **_: Any) -> Iterator[str]:
        for ban in Ban.objects.active().order_by("pk"):
            yield f"{ban}: {described(ban)}"
        for feed in Feed.objects.defer("run").filter(networks__gt=0):
            yield f"feed {feed}: {feed.networks} networks"

    def _why(self, address: str, **_: Any) -> Iterator[str]:
        found = parse_address(address)
        if found is None:
            ban = Ban.objects.filter(pk=wiring.ban_of(address) or 0).first()
            if ban is None:
                raise ValueError(f"{address!r} is neither an address nor a reference")
            yield f"{ban}: {described(ban)}"
            return
        found_in = [
            f"{ban}: {described(ban)}"
            for ban in Ban.objects.active()
            if parse_network(ban.network).contains(found)
        ]
        with PostgresTruth(settings.DATABASE_URL) as truth:
            files = RunFiles(wiring.folder(), truth.run)
            for document in truth.everything().feeds:
                run = files(document) if document["networks"] else None
                if run is not None and found in run:
                    found_in.append(f"feed {document['name']}, version {document['version']}")
        yield from found_in or [f"{found} is in no list"]

    def _import(self, name: str, file: Path, **_: Any) -> Iterator[str]:
        with file.open(errors="replace") as lines:
            feed, result = ledger.import_feed(name, lines, OPERATOR)
        yield f"{feed}: {feed.networks} networks, {result.malformed} malformed, {result.filtered} left out"
        yield from result.rejected

    def _export(self, format: str, **_: Any) -> Iterator[str]:  # noqa: A002 -- the option's name
        networks: list[Network] = [
            parse_network(each.network)
            for each in Ban.objects.active().filter(
                kind=Ban.Kind.DENY, scope=Ban.Scope.FULL, shadow=False
            )
        ]
        yield from exports.FORMATS[format](networks)


def hours(text: str) -> float:
    found = float(text)
    if not 0 < found <= LONGEST_HOURS:
        raise ArgumentTypeError(f"{text} is not above 0 and at most {LONGEST_HOURS}")
    return found


def reason(text: str) -> str:
    if len(text) > LONGEST_REASON:
        raise ArgumentTypeError(f"longer than {LONGEST_REASON} characters")
    return text


def described(ban: Ban) -> str:
    parts = ", ".join(f"{name} {value}" for name, value in ban.evidence.items())
    until = f"until {ban.expires:%Y-%m-%d %H:%M} UTC" if ban.expires else "until it is lifted"
    mode = ", shadow" if ban.shadow else ", logins only" if ban.scope == Ban.Scope.LOGIN else ""
    return f"{ban.source}, {ban.reason}{f' ({parts})' if parts else ''}, {until}{mode}"
