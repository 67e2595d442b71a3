"""Replay the traffic under a rule, and print what became of whom: a JSON line for each seed."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from replay.rules import RULES, run
from replay.story import story as tell
from replay.traffic import BOUNDS


class Command(BaseCommand):
    help = "Replay ten minutes of made-up traffic, and say who was refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("rule", choices=RULES)
        parser.add_argument("--first-seed", type=int, default=0)
        parser.add_argument("--seeds", type=int, default=1)
        parser.add_argument("--story", action="store_true", help="tell one replay as a table")

    def handle(
        self, *_: Any, rule: str, first_seed: int, seeds: int, story: bool, **__: Any
    ) -> None:
        if story:
            self.stdout.write("\n".join(tell(first_seed)))
            return
        for seed in range(first_seed, first_seed + seeds):
            outcome = run(seed, RULES[rule]())
            attackers = {
                name: {
                    "through": outcome.through[name],
                    "bound": bound,
                    "stopped": name in outcome.stopped,
                }
                for name, bound in BOUNDS.items()
            }
            found = {
                "seed": seed,
                "events": outcome.events,
                "attackers": attackers,
                "people": sorted(outcome.people),
            }
            self.stdout.write(json.dumps(found))
