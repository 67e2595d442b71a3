"""Show the limits, read or reset a client's, issue API keys, find a client by its pseudonym."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from limiter.store import StoreFailure

from edge import api_keys, callers, configured


class Command(BaseCommand):
    help = "Show limits; peek at or reset a client; tell its pseudonym; issue API keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("show", help="print every rule set and its policies")
        for name, what in (("peek", "print what a client has left"), ("reset", "refill a client")):
            action = actions.add_parser(name, help=what)
            action.add_argument("rules", metavar="rule-set")
            add_client(action)
        add_client(
            actions.add_parser("pseudonym", help="print how abuse events call clients"), nargs="+"
        )
        key = actions.add_parser("key", help="print an API key for each name")
        key.add_argument("names", nargs="+")

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        if (rules := options.get("rules")) and rules not in configured.rule_sets():
            known = ", ".join(configured.rule_sets())
            raise CommandError(f"there is no rule set {rules!r}; there are {known}")
        try:
            getattr(self, action)(**options)
        except StoreFailure as failure:
            raise CommandError(f"Redis does not answer: {failure}") from failure

    def show(self, **_: Any) -> None:
        for rules in configured.rule_sets():
            for policy in configured.describe(rules):
                self.stdout.write(f"{rules:10} {policy}")

    def peek(self, rules: str, kind: str, value: str, **_: Any) -> None:
        for outcome in configured.limiter(rules).peek(callers.named(kind, value).client).outcomes:
            burst, full_seconds = outcome.policy.burst, outcome.full_after_us / 1_000_000
            self.stdout.write(
                f"{outcome.policy.name}: {outcome.remaining} of {burst} left,"
                f" full in {full_seconds:.1f} s"
            )

    def reset(self, rules: str, kind: str, value: str, **_: Any) -> None:
        deleted = configured.limiter(rules).reset(callers.named(kind, value).client)
        self.stdout.write(f"buckets reset: {deleted}")

    def pseudonym(self, kind: str, value: list[str], **_: Any) -> None:
        for each in value:
            self.stdout.write(callers.caller(callers.named(kind, each)).pseudonym)

    def key(self, names: list[str], **_: Any) -> None:
        for name in names:
            self.stdout.write(api_keys.issue(name))


def add_client(parser: ArgumentParser, nargs: str | None = None) -> None:
    parser.add_argument("kind", choices=("key", "user", "address"))
    parser.add_argument("value", nargs=nargs, help="the key's name, the user's id or the address")
