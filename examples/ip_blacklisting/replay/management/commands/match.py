"""Compare a matcher with the standard library, and print what was found so far: a JSON line a round."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from replay.matching import check


class Command(BaseCommand):
    help = "Compare a matcher with the standard library, under random changes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("variant", choices=["bisect", "shield"])
        parser.add_argument("--first-seed", type=int, default=0)
        parser.add_argument("--seeds", type=int, default=1)

    def handle(self, *_: Any, variant: str, first_seed: int, seeds: int, **__: Any) -> None:
        for seed in range(first_seed, first_seed + seeds):
            for checked in check(seed, variant):
                self.stdout.write(json.dumps({"seed": seed} | asdict(checked)))
