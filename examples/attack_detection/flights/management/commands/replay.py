"""Replay made-up traffic under the rule of a variant, and print what became of whom: a line for each seed."""

import json
import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from replay.outcome import Outcome, run
from replay.traffic import BOUNDS, CARRIERS, EXITS, PEOPLE

from flights.variants import VARIANTS

MOST_SECONDS = 30  # of a replay, which takes two: a rule that does not end is given up
LINE = "{:<17} {:>9}  {}"


class Command(BaseCommand):
    help = "Replay ten minutes of made-up traffic, and say who was found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("variant", choices=VARIANTS)
        parser.add_argument("--first-seed", type=int, default=0)
        parser.add_argument("--seeds", type=int, default=1)
        parser.add_argument("--json", action="store_true", help="a JSON line for each seed")

    def handle(
        self, *_: Any, variant: str, first_seed: int, seeds: int, json: bool, **__: Any
    ) -> None:
        signal.signal(signal.SIGALRM, too_long)
        for seed in range(first_seed, first_seed + seeds):
            signal.alarm(MOST_SECONDS)
            outcome = run(seed, VARIANTS[variant].pipeline().rule)
            signal.alarm(0)
            self.stdout.write(as_json(outcome) if json else "\n".join(told(outcome)))


def too_long(*_: Any) -> None:
    raise CommandError(f"One replay takes longer than {MOST_SECONDS} s.")


def as_json(outcome: Outcome) -> str:
    attackers = {
        name: {"through": outcome.through[name], "bound": bound, "found": name in outcome.found}
        for name, bound in BOUNDS.items()
    }
    people = sorted(outcome.people)
    return json.dumps({"attackers": attackers, "people": people})


def told(outcome: Outcome) -> list[str]:
    """Return a table, line by line."""
    lines = [LINE.format("who", "requests", "found for")]
    for name in BOUNDS:
        verdict = outcome.found.get(name)
        why = "nothing"
        if verdict:
            parts = ", ".join(f"{part} {value:g}" for part, value in verdict.parts.items())
            why = f"{verdict.reason} ({parts}): {verdict.scope}"
        lines.append(LINE.format(name, outcome.through[name], why))
    people = PEOPLE + EXITS + CARRIERS
    return [*lines, f"people: {len(outcome.people)} of {people} addresses found"]
